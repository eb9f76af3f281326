//! Puts into the pieces of a tree what stands between the words of the text that the tree is of.
//!
//! Both have the same words in the same order, but for commas, parentheses and a `begin` that say nothing. So two fingers move
//! along, one over the pieces and one over the text, and what the second comes past between two words goes between the
//! same two words of the pieces.

use super::comments::{Token, is_word, written};
use crate::print::{Break, Edge, OwnLine, Piece, Section, Word, WordKind};

/// What stands between two words of a text.
#[derive(Default)]
struct Gap {
    /// Comments before a comma, on the line of the word before it.
    behind: Vec<String>,
    /// Comments that end the line of the word before.
    trailing: Vec<String>,
    /// Comments on lines of their own.
    own: Vec<OwnLine>,
    /// Comments on the line of the word behind.
    leading: Vec<String>,
    /// Whether there is an empty line before the last line.
    empty_line: bool,
    /// Whether there was a line break.
    has_newline: bool,
}

impl Gap {
    fn blank(&mut self, blank: &str) {
        let newlines = blank.matches('\n').count();
        if newlines == 0 {
            return;
        }
        self.end_line();
        self.has_newline = true;
        self.empty_line |= newlines > 1;
    }

    /// What has been read of a line is all that there is of it.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.leading);
        if line.is_empty() {
            return;
        }
        match self.has_newline {
            true => {
                let empty_line = std::mem::take(&mut self.empty_line);
                self.own.push(OwnLine { empty_line, text: line.join(" ") });
            }
            false => self.trailing = line,
        }
    }

    /// A comma: what stands before it on the line belongs to the word before.
    fn comma(&mut self) {
        if !self.has_newline {
            self.behind.append(&mut self.leading);
        }
    }
}

/// The finger that moves along the text.
pub(super) struct Weaver<'s> {
    text: &'s str,
    at: usize,
    /// The line of `at`.
    line: usize,
}

impl<'s> Weaver<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        Weaver { text, at: 0, line: 0 }
    }

    /// Puts the comments and the empty lines of the text into the sections of its tree, and says of their groups whether
    /// they were on one line.
    pub(super) fn weave(mut self, sections: &mut [Section]) {
        let mut before: Option<&mut Section> = None;
        for section in sections {
            let mut woven = Woven::default();
            let mut above = Some(&mut section.above);
            for piece in std::mem::take(&mut section.pieces) {
                let Piece::Word(word) = piece else {
                    woven.push(piece);
                    continue;
                };
                match self.find(&word) {
                    None => woven.push(Piece::Word(word)),
                    Some(found) => {
                        let line = self.line;
                        match above.take() {
                            Some(above) => woven.begin(found.gap, above, before.take()),
                            None => woven.put_between(found.gap),
                        }
                        woven.word(self.pass(found.length, word), line);
                    }
                }
            }
            if let Some(above) = above {
                woven.begin(self.rest(), above, before.take());
            }
            section.pieces = woven.pieces;
            before = Some(section);
        }
    }

    /// Goes to a word of the tree; none where the text does not have it.
    fn find(&mut self, word: &Word) -> Option<Found> {
        let start = (self.at, self.line);
        let mut gap = Gap::default();
        loop {
            self.skip(&mut gap);
            if let Some(length) = length_of(word, &self.text[self.at..]) {
                return Some(Found { gap, length });
            }
            if !self.drop(&mut gap) {
                (self.at, self.line) = start;
                return None;
            }
        }
    }

    /// What stands between the last word and the end.
    fn rest(&mut self) -> Gap {
        let mut gap = Gap::default();
        self.skip(&mut gap);
        while self.drop(&mut gap) {
            self.skip(&mut gap);
        }
        gap.end_line();
        gap
    }

    /// Goes past white space and comments.
    fn skip(&mut self, gap: &mut Gap) {
        while let Some(token) = Token::first(&self.text[self.at..]) {
            match token {
                Token::Blank(blank) => gap.blank(blank),
                Token::Comment(comment) => gap.leading.push(written(comment)),
                Token::Quoted(_) | Token::Word(_) | Token::Sign(_) => return,
            }
            self.advance(token.text().len());
        }
    }

    /// Goes past a word that the tree does not have. False if there is none.
    fn drop(&mut self, gap: &mut Gap) -> bool {
        let length = match Token::first(&self.text[self.at..]) {
            Some(Token::Sign(",")) => {
                gap.comma();
                1
            }
            Some(Token::Sign("(" | ")")) => 1,
            Some(Token::Word("begin")) => "begin".len(),
            _ => return false,
        };
        self.advance(length);
        true
    }

    fn advance(&mut self, length: usize) {
        self.line += self.text[self.at..self.at + length].matches('\n').count();
        self.at += length;
    }

    /// Goes past a word. A quoted text stays as it was written.
    fn pass(&mut self, length: usize, word: Word) -> Word {
        let written = &self.text[self.at..self.at + length];
        self.advance(length);
        match word.kind {
            WordKind::Text => Word { text: written.to_owned(), ..word },
            WordKind::Plain | WordKind::Name => word,
        }
    }
}

/// A word of the tree in the text.
struct Found {
    /// What stands before it.
    gap: Gap,
    /// How long it is there.
    length: usize,
}

/// How long a word is with which a text begins; none where it does not begin with it.
fn length_of(word: &Word, text: &str) -> Option<usize> {
    match word.kind {
        WordKind::Text => quoted(text, '"').map(str::len),
        WordKind::Name => match quoted(text, '`') {
            Some(name) => (name.trim_matches('`') == word.text.trim_matches('`')).then_some(name.len()),
            None => length_of_plain(&word.text, text),
        },
        WordKind::Plain => length_of_plain(&word.text, text),
    }
}

fn length_of_plain(word: &str, text: &str) -> Option<usize> {
    let behind = text.strip_prefix(word)?;
    let is_split = word.ends_with(is_word) && behind.starts_with(is_word);
    (!is_split).then_some(word.len())
}

fn quoted(text: &str, quote: char) -> Option<&str> {
    match Token::first(text)? {
        Token::Quoted(quoted) if quoted.starts_with(quote) => Some(quoted),
        _ => None,
    }
}

/// Pieces with what was put between them.
#[derive(Default)]
struct Woven {
    pieces: Vec<Piece>,
    /// Behind the last word that the text has.
    behind_word: usize,
    open: Vec<OpenGroup>,
}

/// A group that is not closed yet.
struct OpenGroup {
    at: usize,
    /// The lines of its first and its last word in the text.
    lines: Option<(usize, usize)>,
}

impl Woven {
    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Open(_) => self.open.push(OpenGroup { at: self.pieces.len(), lines: None }),
            Piece::Close => self.close(),
            _ => {}
        }
        self.pieces.push(piece);
    }

    fn close(&mut self) {
        let closed = self.open.pop().expect("each group was opened");
        let Some((first, last)) = closed.lines else { return };
        if let Piece::Open(group) = &mut self.pieces[closed.at] {
            group.was_one_line = Some(first == last);
        }
        if let Some(around) = self.open.last_mut() {
            around.add(first, last);
        }
    }

    /// A word that begins in that line of the text.
    fn word(&mut self, word: Word, line: usize) {
        self.pieces.push(Piece::Word(word));
        self.behind_word = self.pieces.len();
        if let Some(group) = self.open.last_mut() {
            group.add(line, line);
        }
    }

    /// What stands before the first word, or the end of the file. What ends the line of the word before is in the section
    /// before; at the start of the file it is on a line of its own.
    fn begin(&mut self, gap: Gap, above: &mut Break, before: Option<&mut Section>) {
        let Gap { behind, trailing, mut own, leading, empty_line, has_newline: _ } = gap;
        let ends_line = [behind, trailing].concat();
        if !ends_line.is_empty() {
            let text = ends_line.join(" ");
            match before {
                Some(before) => before.pieces.push(Piece::Trailing(text)),
                None => own.insert(0, OwnLine { empty_line: false, text }),
            }
        }
        (above.own, above.empty_line) = (own, empty_line);
        self.pieces.extend(leading.into_iter().map(Piece::Comment));
        self.behind_word = self.pieces.len();
    }

    /// What stands between the last word and the one that comes.
    fn put_between(&mut self, gap: Gap) {
        let Gap { mut behind, trailing, own, mut leading, empty_line, has_newline } = gap;
        if !has_newline && self.ends_list() {
            behind.append(&mut leading);
        }
        let behind_word = self.behind_word + behind.len();
        for comment in behind.into_iter().rev() {
            self.insert(self.behind_word, Piece::Comment(comment));
        }
        let trailing = (!trailing.is_empty()).then(|| Piece::Trailing(trailing.join(" ")));
        let ends_line = trailing.is_some() || !own.is_empty();
        match self.find_break(behind_word) {
            Some(at) => {
                if let Piece::Break(place) = &mut self.pieces[at] {
                    (place.own, place.empty_line, place.must) = (own, empty_line, ends_line);
                }
                trailing.into_iter().for_each(|comment| self.insert(at, comment));
            }
            None if ends_line => {
                // Behind a comma, which holds on to its word.
                let commas = self.pieces[behind_word..].iter().take_while(|piece| matches!(piece, Piece::Comma(_)));
                let at = behind_word + commas.count();
                self.insert(at, Piece::Forced(own));
                trailing.into_iter().for_each(|comment| self.insert(at, comment));
            }
            None => {}
        }
        self.pieces.extend(leading.into_iter().map(Piece::Comment));
    }

    /// Whether the last thing of a list stands there, behind which a comma comes where the list is broken.
    fn ends_list(&self) -> bool {
        let rest = &self.pieces[self.behind_word..];
        let closes = |piece: &Piece| matches!(piece, Piece::Break(place) if place.edge == Edge::Closing);
        rest.iter().any(closes) && rest.iter().any(|piece| matches!(piece, Piece::Comma(_)))
    }

    fn find_break(&self, from: usize) -> Option<usize> {
        let at = self.pieces[from..].iter().position(|piece| matches!(piece, Piece::Break(_)));
        at.map(|at| from + at)
    }

    fn insert(&mut self, at: usize, piece: Piece) {
        self.pieces.insert(at, piece);
        let moved = self.open.iter_mut().filter(|group| group.at >= at);
        moved.for_each(|group| group.at += 1);
    }
}

impl OpenGroup {
    fn add(&mut self, first: usize, last: usize) {
        let (start, _) = *self.lines.get_or_insert((first, last));
        self.lines = Some((start, last));
    }
}
