//! What is wrong only because something else could not be read, which has been reported: a name that an unread item gives,
//! and what an unread stream says of its events.

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::parse::Unread;
use crate::source::Source;

/// Whether a diagnostic is of that kind.
pub(super) fn is_one(diagnostic: &Diagnostic, sources: &[Source], unread: &[Unread]) -> bool {
    let has = |word: &str| unread.iter().any(|item| item.word == word);
    let names = [
        &code::UNKNOWN_FIELD,
        &code::UNKNOWN_STAGE,
        &code::UNKNOWN_FUNCTION,
        &code::UNKNOWN_STREAM,
        &code::NOT_A_DURATION,
        &code::NOT_A_TIME,
    ];
    let of_streams = [&code::NO_TYPE_FIELD, &code::STREAM_UNSAID, &code::UNKNOWN_STREAM];
    match diagnostic.code {
        code if code == &code::UNKNOWN_PARAMETER => has("param"),
        code if of_streams.contains(&code) && has("stream") => true,
        code if names.contains(&code) => {
            let place = diagnostic.labels.first().map(|label| label.place).unwrap_or_default();
            let name = sources.get(diagnostic.source).map_or("", |source| source.at(place));
            !name.is_empty() && unread.iter().any(|item| item.names.contains(name))
        }
        _ => false,
    }
}
