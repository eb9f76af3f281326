//! The built-in functions, one file each, and the table of them all. A new one is a file and two lines here.

mod argument;

mod abs;
mod ceil;
mod cidr;
mod coalesce;
mod concat;
mod contains;
mod date;
mod day_of_week;
mod ends_with;
mod floor;
mod hash;
mod hour;
mod len;
mod lower;
mod max;
mod min;
mod pow;
mod replace;
mod round;
mod split;
mod sqrt;
mod starts_with;
mod substr;
mod trim;
mod truncate;
mod upper;

use crate::function::Function;

/// All built-in functions, as the manual lists them: text, numbers, null, time, and the rest.
pub static FUNCTIONS: &[&Function] = &[
    &lower::LOWER,
    &upper::UPPER,
    &trim::TRIM,
    &len::LEN,
    &contains::CONTAINS,
    &starts_with::STARTS_WITH,
    &ends_with::ENDS_WITH,
    &replace::REPLACE,
    &split::SPLIT,
    &substr::SUBSTR,
    &concat::CONCAT,
    &abs::ABS,
    &ceil::CEIL,
    &floor::FLOOR,
    &round::ROUND,
    &sqrt::SQRT,
    &pow::POW,
    &min::MIN,
    &max::MAX,
    &coalesce::COALESCE,
    &hour::HOUR,
    &day_of_week::DAY_OF_WEEK,
    &date::DATE,
    &truncate::TRUNCATE,
    &hash::HASH,
    &cidr::CIDR,
];

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().copied().find(|function| function.name == name)
}
