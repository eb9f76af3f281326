//! The tables, as Markdown.

use crate::contest::{Compared, Summary};
use crate::goal::{Bound, Reached};

/// What was measured: a line for each program.
pub(crate) fn measured(summaries: &[Summary]) -> String {
    let head = [
        "workload",
        "program",
        "events/s",
        "CPU s",
        "peak MB",
        "matches + timeouts",
        "verified by",
        "speed",
        "by CPU",
        "of",
    ];
    let rows = summaries.iter().map(|summary| {
        let outputs = summary.outputs;
        let compared = |cell: fn(&Compared) -> String| summary.compared.as_ref().map(cell).unwrap_or_default();
        [
            summary.contest.to_owned(),
            summary.program.clone(),
            number(summary.events_per_second),
            format!("{:.2}", summary.cpu_seconds),
            format!("{:.0}", summary.peak_bytes as f64 / 1e6),
            format!("{} + {}", outputs.matches, outputs.timeouts),
            summary.verified.clone(),
            compared(|compared| number(compared.speed)),
            compared(|compared| number(compared.speed_by_cpu)),
            compared(|compared| compared.yardstick.clone()),
        ]
    });
    table(head, rows)
}

/// The goals, in their order.
pub(crate) fn goals(summaries: &[Summary]) -> String {
    let goals = summaries.iter().flat_map(|summary| summary.goals.iter().map(move |goal| (summary, goal)));
    let mut goals: Vec<(&Summary, &Reached)> = goals.collect();
    goals.sort_by_key(|(_, goal)| goal.number);
    let rows = goals.into_iter().map(|(summary, goal)| {
        let yardstick = summary.compared.as_ref().map_or("", |compared| &compared.yardstick);
        [
            goal.number.to_string(),
            summary.contest.to_owned(),
            summary.program.clone(),
            goal.measure.describe(yardstick),
            bound(goal.bound),
            number(goal.found),
            met(goal).to_owned(),
        ]
    });
    table(["goal", "workload", "program", "what", "wanted", "found", "reached"], rows)
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::AtLeast(least) => format!("≥ {}", number(least)),
        Bound::AtMost(most) => format!("≤ {}", number(most)),
        Bound::Any => String::new(),
    }
}

fn met(goal: &Reached) -> &'static str {
    match goal.bound {
        Bound::Any => "",
        _ if goal.bound.holds(goal.found) => "yes",
        _ => "no",
    }
}

/// Three digits, and of large numbers thousands or millions.
fn number(number: f64) -> String {
    match number.abs() {
        size if size >= 1e6 => format!("{} M", short(number / 1e6)),
        size if size >= 1e4 => format!("{} k", short(number / 1e3)),
        _ => short(number),
    }
}

fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = widths.map(|width| "-".repeat(width));
    rows[..1].iter().chain([&rule]).chain(&rows[1..]).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (value, text) in
            [(0.123, "0.12"), (12.34, "12.3"), (1_234.5, "1234"), (12_345.0, "12.3 k"), (5_340_000.0, "5.34 M")]
        {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [["w1", "1"], ["w1-rust", "22"]].map(|row| row.map(str::to_owned));
        insta::assert_snapshot!(table(["workload", "n"], rows.into_iter()), @r"
        | workload | n  |
        | -------- | -- |
        | w1       | 1  |
        | w1-rust  | 22 |
        ");
    }
}
