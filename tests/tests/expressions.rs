//! A checked expression is written as the language reads it: what is written, read again, is the same expression.

use ensue_lang::{Options, Source, compile};
use ensue_model::pattern::{Sequence, Step, Term};
use ensue_model::{Expr, Pattern, Patterns, Schema, Type};

/// Fields of all types, with names that need backticks or `this` among them.
fn schema() -> Schema {
    let schema = Schema::stream("s").field("type", Type::String).type_field("type");
    let schema = schema.field("n", Type::Int).field("f", Type::Float).field("d", Type::Decimal);
    let schema = schema.field("t", Type::Timestamp).field("wait", Type::Duration).field("ok", Type::Bool);
    let schema = schema.field("tags", Type::List(Box::new(Type::String))).field("any", Type::Any);
    let schema = schema.field("name", Type::String).field("a", Type::Int).field("this", Type::Any);
    schema.field("within", Type::Int).field("two words", Type::Int).field("größe", Type::Int).field("null", Type::Any)
}

/// A pattern with this condition on its last stage; `a` is a loop, `one` is none.
fn text(condition: &str) -> String {
    format!(
        "pattern p\nkey name, n\nbegin a+ where true\nfollowedBy one where true\nnext `next`? where true\n\
         followedBy b where {condition}"
    )
}

fn compiled(text: &str) -> (Pattern, Patterns) {
    let options = Options { schema: schema(), ..Options::default() };
    let compiled = compile(&[Source::new("p.pattern", text)], &options).unwrap_or_else(|wrong| panic!("{wrong}"));
    (compiled.patterns.patterns[0].clone(), compiled.patterns)
}

fn last_condition(sequence: &Sequence) -> &Expr {
    match sequence.steps.last() {
        Some(Step { term: Term::Stage(_, condition), .. }) => condition,
        other => panic!("the last step is a stage: {other:?}"),
    }
}

/// What is written for a condition, which has to be the same condition when it is read.
fn written(condition: &str) -> String {
    let (pattern, patterns) = compiled(&text(condition));
    let written = last_condition(&pattern.sequence).display(&patterns, &pattern).to_string();
    let (again, _) = compiled(&text(&written));
    assert_eq!(again.lookbacks, pattern.lookbacks, "`{condition}` is written `{written}`");
    assert_eq!(again.sequence, pattern.sequence, "`{condition}` is written `{written}`");
    written
}

#[test]
fn what_is_written_as_the_printer_would_stays_as_it_is() {
    for condition in [
        "type == \"create\"",
        "n > 5 and not ok or f < 2.5",
        "not n == 1",
        "not (ok and ok)",
        "(ok or ok) and ok",
        "(ok and ok) and ok",
        "ok and ok and ok and ok and ok",
        "n - (n - 1) - 2 == n * (n + 1) / 3 % 4",
        "-n < -5 and -(n + 1) > n - -1",
        "n == -9223372036854775808",
        "f == 1e300 or f == -0.0",
        "d == 0.10 and d > -2.5",
        "wait > 1h30m or wait < -5m",
        "t > @2021-01-19T10:00:00.500Z",
        "any ?? n ?? 1 == 1",
        "(any ?? n) + 1 == any ?? n + 1",
        "name in [\"x\", \"y\\n\\\"\"] and n in [n, 2] and name in tags",
        "n between n - 1 and n + 1",
        "name like \"a%\" and name matches \"^\\\\d+$\"",
        "name is null or name is not null",
        "(n == 1) is null",
        "(n == 1) == (n == 2)",
        "(not ok) == ok",
        "if ok then n == 1 else n == 2",
        "(if ok then n else 2) == 1",
        "tags[0] == \"x\" and tags[-1] == tags[n]",
        "any.x.`y z`[0].next == 1",
        "lower(trim(name)) == concat(name, \"x\")",
        "this.a == 1 and this.this == 2 and this.this.x == 3",
        "`within` == 1 and `two words` == 2 and größe == 3 and `null` is null",
        "n > last(a).n and n > first(a).n and n > a[2].n and n > a[-2].n",
        "n > one.n and n > first(one).n and any == one.any.x and one.tags[0] == name",
        "one.`two words` == 1 and one.within == 2 and one.this == 3",
        "`next`.n == 1",
        "time() - time(one) < 5m and time(first(a)) < time(last(a)) and time(a[1]) < time()",
        "count(a) < 3 and sum(a.n) + n < 100 and avg(a.n * 2) > 1.5",
        "min(a.n) < max(a.n + a.within) and min(n, 1) < max(n, 2)",
        "any(a, n > 3 and a == 1) and all(a, time() < t)",
        "collect(a.name) == distinct(a.name)",
        "key() == [name, n] and key()[0] == name",
    ] {
        assert_eq!(written(condition), condition);
    }
}

#[test]
fn names_that_are_put_in_are_written_as_what_they_stand_for() {
    let (pattern, patterns) = compiled(
        "param limit: int = 5\nlet large(x) = x.n > limit\n\
         pattern p\nbegin a where true\nfollowedBy b where large(a) and this.n < limit",
    );
    let condition = last_condition(&pattern.sequence).display(&patterns, &pattern).to_string();
    assert_eq!(condition, "a.n > 5 and n < 5");
}

#[test]
fn a_bare_stage_is_written_as_its_type() {
    let (pattern, patterns) = compiled("pattern p\nbegin a");
    assert_eq!(last_condition(&pattern.sequence).display(&patterns, &pattern).to_string(), "type == \"a\"");
}

#[test]
fn what_has_several_forms_is_written_in_the_plainest() {
    for (condition, expected) in [
        ("((n) == (1))", "n == 1"),
        ("a.n > a[-1].n", "last(a).n > last(a).n"),
        ("last(one).n > a[0].n", "one.n > first(a).n"),
        ("not name is null", "name is not null"),
        ("this.n == 1_000", "n == 1000"),
        ("wait == 90m", "wait == 1h30m"),
        ("ok and (ok and ok)", "ok and ok and ok"),
    ] {
        assert_eq!(written(condition), expected);
    }
}
