//! What bounds a pattern's runs, besides its windows in time: when they start, how many events of their
//! key they span, and which are kept.

use std::num::NonZeroU32;

use ensue_model::pattern::{Active, Keep};
use ensue_model::{Timestamp, Type, Value};

use super::declarations::Declarations;
use super::expression::Lowering;
use super::{constant, names};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::literal;
use crate::tree::{self, ClauseKind, EndingKind, Expr, ExprKind, Name, Number};

/// `active from .. until ..`
pub(super) fn active(lowering: &mut Lowering<'_, '_>, pattern: &tree::Pattern) -> Active {
    let said = pattern.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Active { from, until } => Some((clause.place, from, until)),
        _ => None,
    });
    let Some((place, from, until)) = said else { return Active::default() };
    let [from, until] = [from, until].map(|moment| moment.as_ref().and_then(|moment| read(lowering, moment)));
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        let message = format!("no time is at or after {from} and before {until}");
        let diagnostic = Diagnostic::error(&code::NEVER_ACTIVE, place, message);
        lowering.report(diagnostic.help("the earlier time stands behind `from`, the later one behind `until`"));
    }
    Active { from, until }
}

/// `within 100 events`
pub(super) fn within_events(lowering: &mut Lowering<'_, '_>, pattern: &tree::Pattern) -> Option<NonZeroU32> {
    let count = pattern.endings.iter().find_map(|ending| match &ending.kind {
        EndingKind::WithinEvents(count) => Some(count),
        _ => None,
    })?;
    event_count(lowering, count)
}

/// The length of a window in events. None where it is wrong, which has been reported.
pub(super) fn event_count(lowering: &mut Lowering<'_, '_>, written: &Number) -> Option<NonZeroU32> {
    let count = literal::int(&written.text);
    if let Some(count) = count.and_then(|count| u32::try_from(count).ok()).and_then(NonZeroU32::new) {
        return Some(count);
    }
    let message = match count {
        Some(0) => "no event lies in a window of 0 events".to_owned(),
        _ => format!("`{}` is not a number of events", written.text),
    };
    let diagnostic = Diagnostic::error(&code::EVENT_COUNT, written.place, message);
    lowering.report(diagnostic.help(format!("write a whole number, 1 to {}", u32::MAX)));
    None
}

/// `keep latest`
pub(super) fn keep(pattern: &tree::Pattern) -> Keep {
    let said = pattern.endings.iter().find_map(|ending| match &ending.kind {
        EndingKind::Keep(keep) => Some(*keep),
        _ => None,
    });
    match said {
        None | Some(tree::Keep::All) => Keep::All,
        Some(tree::Keep::Latest) => Keep::Latest,
        Some(tree::Keep::First) => Keep::First,
    }
}

/// None where it is wrong, which is reported, or its parameter is, which has been.
fn read(lowering: &mut Lowering<'_, '_>, moment: &Expr) -> Option<Timestamp> {
    match self::moment(lowering.declared, moment) {
        Ok(moment) => moment,
        Err(diagnostic) => {
            lowering.report(*diagnostic);
            None
        }
    }
}

/// The time that a literal or a parameter gives; none where the parameter's value is wrong.
fn moment(declared: &Declarations<'_>, moment: &Expr) -> Result<Option<Timestamp>, Box<Diagnostic>> {
    if let ExprKind::Name(name) = &moment.kind {
        return parameter(declared, name).map_err(Box::new);
    }
    match constant::value(moment, false) {
        Some(Ok(Value::Timestamp(time))) => Ok(Some(time)),
        Some(Err(diagnostic)) => Err(Box::new(diagnostic)),
        Some(Ok(_)) | None => {
            let diagnostic = Diagnostic::error(&code::NOT_A_TIME, moment.place, "this is not a time");
            Err(Box::new(diagnostic.help("write it like `@2021-01-19T10:00:00Z`")))
        }
    }
}

fn parameter(declared: &Declarations<'_>, name: &Name) -> Result<Option<Timestamp>, Diagnostic> {
    let Some(parameter) = declared.parameters.get(name.text.as_str()) else {
        let message = format!("there is no parameter `{}`", name.text);
        let help = names::meant(&name.text, declared.parameters.keys().copied());
        let help = help.unwrap_or_else(|| "write a time such as `@2021-01-19T10:00:00Z`, or declare a `param`".into());
        return Err(Diagnostic::error(&code::NOT_A_TIME, name.place, message).help(help));
    };
    match &parameter.value {
        Some(Value::Timestamp(time)) => Ok(Some(*time)),
        None if parameter.kind == Type::Timestamp => Ok(None),
        _ => {
            let message = format!("parameter `{}` is {}, not a timestamp", name.text, parameter.kind);
            let help = format!("declare it as `param {}: timestamp`", name.text);
            Err(Diagnostic::error(&code::NOT_A_TIME, name.place, message).help(help))
        }
    }
}
