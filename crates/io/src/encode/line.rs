//! A line in the making, behind what a vector holds already.

/// A line that is written with room behind it: a short piece is copied as a whole block, of which the next piece overwrites
/// what is too much. A line is made of some thirty pieces, and what `Vec::extend_from_slice` does for each of them costs more
/// than the bytes.
///
/// Call [`Line::end`], or the room stays behind the line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// What was there before, the line, and the room behind it, which holds anything.
    out: &'a mut Vec<u8>,
    /// Where the room starts.
    end: usize,
}

/// Writes into room that is known to be there, which is cheaper where many short pieces follow each other.
#[derive(Debug)]
pub(super) struct Pen<'a> {
    room: &'a mut [u8],
    at: usize,
}

/// Text that is written often, in blocks. What follows it in the last one is no part of it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Most pieces have but one.
    first: [u8; BLOCK_BYTES],
    others: Box<[[u8; BLOCK_BYTES]]>,
    length: usize,
}

const BLOCK_BYTES: usize = 32;

/// Parts of a text up to this long are written as one block.
pub(super) const PART_BYTES: usize = 16;

/// Most lines fit into this.
const ROOM_BYTES: usize = 512;

impl<'a> Line<'a> {
    pub(super) fn behind(out: &'a mut Vec<u8>) -> Self {
        let end = out.len();
        out.resize(end + ROOM_BYTES, 0);
        Line { out, end }
    }

    /// Gives the line up to the vector.
    pub(super) fn end(self) {
        self.out.truncate(self.end);
    }

    /// Writes a text whose length is known when this is compiled.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, text: &[u8; N]) {
        match self.out.get_mut(self.end..).and_then(|room| room.first_chunk_mut()) {
            Some(room) => *room = *text,
            None => self.put_behind_room(text),
        }
        self.end += N;
    }

    #[cold]
    fn put_behind_room(&mut self, text: &[u8]) {
        self.make_room(text.len());
        self.out[self.end..][..text.len()].copy_from_slice(text);
    }

    /// Lets short pieces be written, no more than so many bytes with the blocks that they end in.
    #[inline]
    pub(super) fn pen(&mut self, bytes: usize) -> Pen<'_> {
        self.make_room(bytes);
        Pen { room: &mut self.out[self.end..], at: 0 }
    }

    /// Takes what a pen has written.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) {
        self.end += bytes;
    }

    #[inline(always)]
    pub(super) fn put_piece(&mut self, piece: &Piece) {
        let start = self.end;
        self.put(&piece.first);
        piece.others.iter().for_each(|block| self.put(block));
        self.end = start + piece.length;
    }

    #[inline]
    pub(super) fn write(&mut self, text: &[u8]) {
        self.make_room(text.len());
        self.out[self.end..][..text.len()].copy_from_slice(text);
        self.end += text.len();
    }

    /// Lets something write that knows only vectors.
    pub(super) fn write_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.truncate(self.end);
        write(self.out);
        self.end = self.out.len();
    }

    #[inline(always)]
    fn make_room(&mut self, bytes: usize) {
        if self.out.len() - self.end < bytes {
            self.grow(bytes);
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.out.resize(self.end + bytes + ROOM_BYTES, 0);
    }
}

impl Pen<'_> {
    /// How much has been written.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, text: &[u8; N]) {
        self.room[self.at..self.at + N].copy_from_slice(text);
        self.at += N;
    }

    /// Writes a part of a text, most of which are short: as a whole block, where the text has so many bytes.
    #[inline(always)]
    pub(super) fn put_part(&mut self, text: &[u8], start: usize, length: usize) {
        let at = self.at;
        match text[start..].first_chunk::<PART_BYTES>() {
            Some(block) if length <= PART_BYTES => self.put(block),
            _ => self.room[at..at + length].copy_from_slice(&text[start..start + length]),
        }
        self.at = at + length;
    }

    #[inline(always)]
    pub(super) fn put_piece(&mut self, piece: &Piece) {
        let start = self.at;
        self.put(&piece.first);
        piece.others.iter().for_each(|block| self.put(block));
        self.at = start + piece.length;
    }
}

impl Piece {
    /// How many bytes of room it takes to write it.
    pub(super) fn room(&self) -> usize {
        (1 + self.others.len()) * BLOCK_BYTES
    }

    pub(super) fn new(text: &[u8]) -> Self {
        let block = |part: &[u8]| {
            let mut block = [0; BLOCK_BYTES];
            block[..part.len()].copy_from_slice(part);
            block
        };
        let mut blocks = text.chunks(BLOCK_BYTES).map(block);
        let first = blocks.next().unwrap_or_default();
        Piece { first, others: blocks.collect(), length: text.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_written_stands_behind_what_was_there(
            before in proptest::collection::vec(0..=255_u8, 0..50),
            pieces in proptest::collection::vec((0..4, proptest::collection::vec(0..=255_u8, 0..150)), 0..40),
        ) {
            let (mut out, mut expected) = (before.clone(), before);
            let mut line = Line::behind(&mut out);
            for (way, piece) in &pieces {
                match way {
                    0 => line.write(piece),
                    1 => line.put_piece(&Piece::new(piece)),
                    2 if piece.len() % 2 == 0 => {
                        let prepared = Piece::new(piece);
                        let mut pen = line.pen(piece.len() + PART_BYTES + prepared.room());
                        let (front, back) = piece.split_at(piece.len() / 2);
                        pen.put_part(piece, 0, front.len());
                        pen.put_part(piece, front.len(), back.len());
                        pen.put_piece(&prepared);
                        let written = pen.at();
                        line.take(written);
                        expected.extend_from_slice(piece);
                    }
                    2 => line.write_with(|out| out.extend_from_slice(piece)),
                    _ => piece.iter().for_each(|byte| line.put(&[*byte])),
                }
                expected.extend_from_slice(piece);
            }
            line.end();
            proptest::prop_assert_eq!(out, expected);
        }
    }
}
