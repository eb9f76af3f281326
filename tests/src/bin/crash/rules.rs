//! Patterns that change while the job runs, beside those whose outputs are compared: to these it must make no difference.

use std::fs;
use std::io;
use std::path::Path;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// What the outputs of these patterns say, which no other line does.
pub(crate) const MARK: &str = "\"pattern\":\"extra";

/// Versions of a file of patterns: their runs can go on in some of the others and not in all. They ask for other fields, and some read
/// what others emit.
const VERSIONS: [&str; 5] = [
    "pattern extra from orders, payments\nbegin create: orders\nfollowedBy pay: payments\nwithin 30m\n",
    "pattern extra from orders, payments\nbegin create: orders\nfollowedBy pay: payments where type == \"pay\" and amount > 50\nwithin 2h\n",
    "pattern extra from orders, payments\nbegin create: orders where type == \"create\" and region == \"north\"\nfollowedBy pay: payments\nwithin 1h\n",
    "pattern extra from orders, payments\nbegin create: orders\nfollowedBy pay: payments\nwithin 30m\nemit extra_paid { id: create.id, amount: pay.amount }\n\
     pattern extra_second from extra_paid key id % 7\nbegin one: extra_paid where true\nfollowedBy two: extra_paid where amount > one.amount\nwithin 1h\n",
    "pattern extra from orders\nbegin create: orders\nnotFollowedBy note: orders\nwithin 10m\n",
];

/// What no job can start with, and what one that runs passes over.
const WRONG: &str = "pattern extra from orders\nbegin create: orders where regoin == \"north\"\n";

/// Changes the file in the folder of rules, or takes it away. `is_running` says whether a job runs, which a wrong one does not harm.
pub(crate) fn change(folder: &Path, is_running: bool, random: &mut Pcg64Mcg) -> io::Result<()> {
    let file = folder.join("extra.pattern");
    match random.random_range(0..VERSIONS.len() + 2) {
        0 if !file.exists() => Ok(()),
        0 => fs::remove_file(file),
        1 if is_running => fs::write(file, WRONG),
        version => fs::write(file, VERSIONS[version % VERSIONS.len()]),
    }
}

/// Whether no job can start with what is there.
pub(crate) fn is_wrong(folder: &Path) -> io::Result<bool> {
    let file = folder.join("extra.pattern");
    Ok(file.exists() && fs::read_to_string(file)? == WRONG)
}
