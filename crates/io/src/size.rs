//! Sizes as people write them.

/// The bytes that a unit has. Longer names come first: `MiB` ends with `B`, too.
const UNITS: [(&str, usize); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// A number of bytes such as `4GiB`, `10 MB` or `7B`.
///
/// # Errors
/// A sentence that says how one is written.
pub fn bytes(text: &str) -> Result<usize, String> {
    let bytes = UNITS.iter().find_map(|(unit, factor)| {
        let count: usize = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        count.checked_mul(*factor)
    });
    bytes.ok_or_else(|| format!("`{text}` is not a size such as 512MiB or 4GiB"))
}
