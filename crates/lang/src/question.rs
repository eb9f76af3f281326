//! What an expression can ask of the events that a run has taken, of the key, and of the run: written like a function, and
//! none of values. The checker tells by this table what is a question, and the manual is made from it.

/// Something that can be asked.
#[derive(Debug)]
pub struct Question {
    /// The name that patterns use.
    pub name: &'static str,
    /// How it is asked, of a stage `a` and a field `x` of its events.
    pub forms: &'static [&'static str],
    /// What kind of value it gives, in words.
    pub result: &'static str,
    /// One sentence that says what it gives.
    pub doc: &'static str,
    /// Expressions with their results, as patterns write both; each is run by a test. A stage `a` has taken three events, a
    /// minute after each other: their `x` is 1, 2 and 6, their `name` "ann", "ben" and "ann". The event under test comes an
    /// hour after the first, and the key is "u1". In a timeout the run waits for `b`.
    pub examples: &'static [(&'static str, &'static str)],
}

/// All questions, as the manual lists them: over all events of a stage, one of them, the run.
pub static QUESTIONS: &[Question] = &[
    Question {
        name: "count",
        forms: &["count(a)"],
        result: "int",
        doc: "How many events the stage has taken; 0 if none.",
        examples: &[("count(a)", "3"), ("count(a) > 2", "true")],
    },
    Question {
        name: "sum",
        forms: &["sum(a.x)"],
        result: "a number of the type of `a.x`",
        doc: "The sum over all events of the stage; nulls do not count, and of nothing it is 0.",
        examples: &[("sum(a.x)", "9"), ("sum(2 * a.x)", "18")],
    },
    Question {
        name: "avg",
        forms: &["avg(a.x)"],
        result: "float of ints, else the type of `a.x`, which is a number or a duration",
        doc: "The mean over all events of the stage; nulls do not count, and of nothing it is null.",
        examples: &[("avg(a.x)", "3.0")],
    },
    Question {
        name: "min",
        forms: &["min(a.x)"],
        result: "the type of `a.x`, which has an order",
        doc: "The least over all events of the stage; with several arguments it is a function of values.",
        examples: &[("min(a.x)", "1"), ("min(a.name)", r#""ann""#)],
    },
    Question {
        name: "max",
        forms: &["max(a.x)"],
        result: "the type of `a.x`, which has an order",
        doc: "The greatest over all events of the stage; with several arguments it is a function of values.",
        examples: &[("max(a.x)", "6"), ("max(time(a)) - min(time(a))", "2m")],
    },
    Question {
        name: "any",
        forms: &["any(a, x > 3)"],
        result: "bool",
        doc: "Whether the condition holds for one of the stage's events, whose fields are the bare names in it; of no event it is null.",
        examples: &[("any(a, x > 3)", "true"), (r#"any(a, name == "eve")"#, "false")],
    },
    Question {
        name: "all",
        forms: &["all(a, x > 3)"],
        result: "bool",
        doc: "Whether the condition holds for all of the stage's events, whose fields are the bare names in it; of no event it is null.",
        examples: &[("all(a, x > 3)", "false"), ("all(a, x > 0)", "true")],
    },
    Question {
        name: "collect",
        forms: &["collect(a.x)"],
        result: "a list of the type of `a.x`",
        doc: "The values of all events of the stage, in the order in which they were taken; of no event it is null.",
        examples: &[("collect(a.x)", "[1, 2, 6]")],
    },
    Question {
        name: "distinct",
        forms: &["distinct(a.x)"],
        result: "a list of the type of `a.x`",
        doc: "The different values of the events of the stage, in the order in which they came first; of no event it is null.",
        examples: &[("distinct(a.name)", r#"["ann", "ben"]"#), ("len(distinct(a.name))", "2")],
    },
    Question {
        name: "first",
        forms: &["first(a)"],
        result: "an event, of which a field or the time is asked",
        doc: "The first event of the stage; `a[0]` is the same, `a[1]` the second.",
        examples: &[("first(a).x", "1"), ("a[1].x", "2")],
    },
    Question {
        name: "last",
        forms: &["last(a)"],
        result: "an event, of which a field or the time is asked",
        doc: "The latest event of the stage; `a[-1]` is the same, `a[-2]` the one before, and `a.x` is short for `last(a).x`.",
        examples: &[("last(a).x", "6"), ("a[-2].x", "2"), ("a.x", "6")],
    },
    Question {
        name: "time",
        forms: &["time()", "time(a)"],
        result: "timestamp",
        doc: "The event time of the event under test, or of the stage's latest event.",
        examples: &[("time() - time(a)", "58m"), ("time() - time(first(a))", "1h")],
    },
    Question {
        name: "key",
        forms: &["key()"],
        result: "the type of the key; a list, if it has several parts",
        doc: "The key of the run.",
        examples: &[("key()", r#""u1""#)],
    },
    Question {
        name: "awaiting",
        forms: &["awaiting()"],
        result: "list<string>",
        doc: "In `timeout`: the stages that could have taken the run's next event.",
        examples: &[("awaiting()", r#"["b"]"#)],
    },
    Question {
        name: "deadline",
        forms: &["deadline()"],
        result: "timestamp",
        doc: "In `timeout`: when the run's time was over.",
        examples: &[("deadline() - time(first(a))", "2h")],
    },
];

/// The question of that name.
pub(crate) fn find(name: &str) -> Option<&'static Question> {
    QUESTIONS.iter().find(|question| question.name == name)
}

impl Question {
    /// What to write to ask it.
    pub(crate) fn help(&self) -> String {
        let forms: Vec<String> = self.forms.iter().map(|form| format!("`{form}`")).collect();
        let of_stage = self.forms.iter().any(|form| form.contains("(a"));
        format!("write {}{}", forms.join(" or "), if of_stage { ", with a stage `a`" } else { "" })
    }
}
