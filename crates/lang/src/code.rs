//! The registry of codes: every diagnostic has one, and every one stands here.

use std::fmt;

/// What kind of mistake a diagnostic speaks of.
#[derive(PartialEq, Eq, Debug)]
pub struct Code {
    /// `E0101`: E01 syntax, E02 names and stages, E03 types, E04 the shape of sequences, E05 what compiles and can
    /// hardly be meant, E09 limits.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// In one sentence.
    pub explanation: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// Declares the codes, and the table of them all, in one place, so that none can be forgotten in the table.
macro_rules! codes {
    ($($id:ident $name:ident $title:literal $explanation:literal)*) => {
        $(
            #[doc = $explanation]
            pub(crate) static $name: Code = Code { id: stringify!($id), title: $title, explanation: $explanation };
        )*

        /// All codes, in order.
        pub static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    E0101 SYNTAX "unexpected text" "What stands here does not fit what stands before it."
    E0102 UNIT "no such unit of time" "A duration is numbers with units: w, d, h, m, s, ms, us."
    E0103 OPEN_TEXT "text without an end" "A text starts and ends with a double quote, on one line."
    E0104 OPEN_COMMENT "comment without an end" "A comment that starts with /* ends with */."
    E0105 ESCAPE "no such escape" "A text knows the escapes of JSON: a backslash before one of \" \\ / b f n r t, or before u and four hexadecimal digits."
    E0106 NUMBER "not a number" "A number is digits, with _ between them where that helps to read, and at most one decimal point."
    E0107 TIME "not a time" "A time is written as in RFC 3339, behind an @."
    E0108 TYPE_NAME "no such type" "The types are bool, int, float, decimal, string, timestamp, duration, list<T> and any."
    E0109 MARK "no such mark" "A field can be marked as @time, @key or @type."
    E0110 EMPTY_FILE "no pattern" "A file holds patterns and declarations, or one body."

    E0201 UNKNOWN_FIELD "no such field" "The stream is declared and does not have the field."
    E0202 UNKNOWN_STAGE "no such stage" "The pattern has no stage of that name."
    E0203 NO_TYPE_FIELD "no type field" "A stage without where stands for the type field being its name, so there has to be a type field."
    E0204 DUPLICATE "a name twice" "Within its kind, a name is given once."
    E0205 NEGATED_STAGE "a negated stage holds nothing" "What notNext or notFollowedBy names is never taken, so nothing can be asked of it."
    E0206 RECURSIVE_LET "a let that needs itself" "A let is put in where it is named, so it cannot need itself."
    E0207 UNKNOWN_FUNCTION "no such function" "There is no built-in function, and no let, of that name."
    E0208 ARGUMENTS "wrong number of arguments" "A function takes as many arguments as it has parameters."
    E0209 LATER_STAGE "the stage is never taken before" "The stage stands later in the pattern, so it holds nothing yet."
    E0210 STAGE_AS_VALUE "a stage is not a value" "A stage holds events; a value is a field of one of them, or of all."
    E0211 NOT_A_STAGE "a stage is needed" "The function asks something of the events that a stage has taken."
    E0212 PARAMETER_VALUE "a parameter's value" "Each parameter has a value: its default, or the caller's, of the declared type."
    E0213 UNKNOWN_PARAMETER "no such parameter" "The caller sets a parameter that no file declares."
    E0214 OUT_OF_PLACE "not to be asked here" "Some questions have an answer only in some places."
    E0215 UNKNOWN_STREAM "no such stream" "The pattern reads a stream that is not declared."
    E0216 STREAM_UNSAID "which stream?" "Where there are several streams, a pattern says which ones it reads: in from, or at each stage."
    E0217 AMBIGUOUS_FIELD "a field of several streams" "Streams that a stage may take from have a field of that name, of different types."
    E0218 KEY_MAP "a key without a stream or stage" "A key that differs says it for each stream that the pattern reads, or for each of its stages."
    E0219 CIRCULAR "patterns in a circle" "A pattern reads records of patterns that do not wait for its own."
    E0220 EMPTY_RECORD "a record of nothing" "A record has at least one entry."
    E0221 UNLIKE_RECORDS "records that differ" "Records of one name are one stream: their entries have the same names and types."
    E0222 LOOKUP "what a table gives" "A table gives a column of the row that a key has: products[sku].category."
    E0223 HOST_FUNCTION "a function of the program" "The functions that a program gives have names that are not taken."

    E0301 UNLIKE_TYPES "types that do not go together" "The operator has no result for values of these types."
    E0302 NOT_A_CONDITION "a condition is true or false" "Where a condition is asked for, the expression must be a bool."
    E0303 ARGUMENT_TYPE "an argument of the wrong type" "The function does not take values of this type."
    E0304 COMPARED_WITH_NULL "never true" "What is compared with null is null, and does not hold; is null asks for it."
    E0305 TEXT_PATTERN "not a text pattern" "like and matches need a pattern that is known when the pattern is compiled."
    E0306 NOT_A_LIST "not a list" "in and [..] need a list."
    E0307 NO_MEMBERS "no fields" "Only stages and records have fields."
    E0308 NOT_A_DURATION "not a duration" "A window is a duration, or a parameter that is one; a stage's own is longer than nothing."
    E0309 NOT_A_TIME "not a time" "A pattern is active from a time, and until one: a literal, or a parameter that is one."

    E0401 BOUNDS "impossible bounds" "A loop takes at least one event, and at most not fewer than at least."
    E0402 NO_LOOP "no loop" "until, consecutive, combinations and greedy speak of a loop."
    E0403 MODIFIERS "modifiers that exclude each other" "Events inside a loop are either consecutive or combinations, and each modifier is said once."
    E0404 NEGATED_SHAPE "a negation takes nothing" "What is not to come is one stage, without a quantifier, a modifier or an until; a window it has only at the end."
    E0406 NO_WINDOW "an absence without an end" "That something does not come is known only when a window ends."
    E0407 GROUP_CONDITION "a group has no condition" "Conditions belong to stages."
    E0408 SKIP_TARGET "cannot skip there" "One skips to a stage that takes events and is in no group."
    E0409 ENDING_TWICE "said twice" "What stands before or behind a sequence is said once."
    E0410 ANY_OF "any n of" "any n of speaks of parts that are joined by &, and n is one of 1 to their number."
    E0411 NO_ANCHOR "nothing to count from" "The window of a stage counts from an event that was taken before."
    E0412 EMPTY_PART "a part that takes nothing" "Each part of a group that joins several with | or & takes at least one event."
    E0413 PART_NEGATION "a negation at the edge of a part" "What must not come lies between two events of its part; at the end of a branch of | only where the pattern ends."
    E0415 NEVER_ACTIVE "never active" "The time from which a pattern is active lies before the one until which it is."
    E0416 EVENT_COUNT "not a number of events" "A window in events holds one of them, or more."

    E0501 NEVER_HOLDS "never holds" "No event fulfils the condition, or no event can be the first that does."
    E0502 ALWAYS_HOLDS "always holds" "Every event fulfils the condition, but for those that lack what it asks for."
    E0503 OF_ONE_EVENT "an aggregate of one event" "The stage takes one event, so there is nothing to count or to sum up."
    E0504 FOREIGN_WORD "a word that is read as a field" "The language writes null, true and false so; in other letters they are names of fields."
    E0505 NEVER_TAKEN "never taken" "All that the stage takes is what the negation before it rules out."
    E0506 ENDLESS_LOOP "a loop without an end" "Nothing ends the loop, so that its runs stay open and grow for ever."
    E0507 HIDDEN_BRANCH "a hidden branch" "All that the branch takes, another one takes too."
    E0508 UNKNOWN_TYPE "a type that no event has" "The stage stands for a type that none of the events has that were given to check against."

    E0902 TOO_DEEP "nested too deeply" "Expressions and groups can be nested only so deeply."
    E0903 TOO_LARGE "too large" "A pattern has its limits; the message names the one that was reached."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_given_once() {
        assert!(CODES.is_sorted_by(|a, b| a.id < b.id));
    }
}
