//! Items beside patterns.

use ensue_model::Type;
use pest::iterators::Pair;

use super::pair::{expect, parts};
use super::{NESTING_MAX, Reader, Rule};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{Field, Item, Let, Mark, MarkKind, Param, Place, Stream, Table, TypeName};

impl<'s> Reader<'s> {
    /// None where something in it is wrong, which has been reported.
    pub(super) fn item(&mut self, pair: Pair<'s, Rule>) -> Option<Item> {
        match pair.as_rule() {
            Rule::stream => self.stream(pair).map(Item::Stream),
            Rule::param => self.param(pair).map(Item::Param),
            Rule::let_ => self.let_(pair).map(Item::Let),
            Rule::table => self.table(pair).map(Item::Table),
            _ => self.pattern(pair),
        }
    }

    fn stream(&mut self, pair: Pair<'s, Rule>) -> Option<Stream> {
        let doc = self.doc(self.place(&pair));
        let mut parts = parts(pair);
        let name = self.name(expect(&mut parts));
        Some(Stream { doc, name, fields: self.fields(expect(&mut parts))? })
    }

    fn param(&mut self, pair: Pair<'s, Rule>) -> Option<Param> {
        let doc = self.doc(self.place(&pair));
        let mut parts = parts(pair);
        let name = self.name(expect(&mut parts));
        let kind = self.type_name(expect(&mut parts))?;
        let default = match parts.next() {
            Some(value) => Some(self.expression(value)?),
            None => None,
        };
        Some(Param { doc, name, kind, default })
    }

    fn let_(&mut self, pair: Pair<'s, Rule>) -> Option<Let> {
        let doc = self.doc(self.place(&pair));
        let mut parts = parts(pair).peekable();
        let name = self.name(expect(&mut parts));
        let parameters = parts.next_if(|part| part.as_rule() == Rule::parameters);
        let parameters = parameters.map(|parameters| self.names(parameters.into_inner()));
        Some(Let { doc, name, parameters, value: self.expression(expect(&mut parts))? })
    }

    fn table(&mut self, pair: Pair<'s, Rule>) -> Option<Table> {
        let doc = self.doc(self.place(&pair));
        let mut parts = parts(pair);
        let name = self.name(expect(&mut parts));
        let key = self.name(expect(&mut parts));
        Some(Table { doc, name, key, fields: self.fields(expect(&mut parts))? })
    }

    /// All fields are read, so that each that is wrong is reported.
    fn fields(&mut self, pair: Pair<'s, Rule>) -> Option<Vec<Field>> {
        let fields: Vec<_> = parts(pair).map(|field| self.field(field)).collect();
        fields.into_iter().collect()
    }

    fn field(&mut self, pair: Pair<'s, Rule>) -> Option<Field> {
        let mut parts = parts(pair);
        let name = self.name(expect(&mut parts));
        let kind = self.type_name(expect(&mut parts));
        let marks: Vec<_> = parts.map(|mark| self.mark(mark)).collect();
        Some(Field { name, kind: kind?, marks: marks.into_iter().collect::<Option<_>>()? })
    }

    fn mark(&mut self, pair: Pair<'s, Rule>) -> Option<Mark> {
        let place = self.place(&pair);
        let kind = match pair.as_str() {
            "@time" => MarkKind::Time,
            "@key" => MarkKind::Key,
            "@type" => MarkKind::Type,
            other => {
                let message = format!("there is no mark `{other}`");
                let help = meant_mark(other).unwrap_or("the marks are `@time`, `@key` and `@type`");
                self.diagnostics.push(Diagnostic::error(&code::MARK, place, message).help(help));
                return None;
            }
        };
        Some(Mark { kind, place })
    }

    fn type_name(&mut self, pair: Pair<'s, Rule>) -> Option<TypeName> {
        let place = self.place(&pair);
        let parts: Vec<_> = parts(pair).collect();
        let count = |rule| parts.iter().filter(|part| part.as_rule() == rule).count();
        let lists = count(Rule::list_of);
        if lists != count(Rule::list_end) || lists > NESTING_MAX {
            let message = "each `list<` has one `>`".to_owned();
            self.error(&code::TYPE_NAME, place, message);
            return None;
        }
        let word = parts.iter().find(|part| part.as_rule() == Rule::word).expect("a type has a word");
        let item = self.plain_type(word.as_str(), self.place(word))?;
        let kind = (0..lists).fold(item, |item, _| Type::List(Box::new(item)));
        Some(TypeName { kind, nullable: count(Rule::nullable) > 0, place })
    }

    fn plain_type(&mut self, word: &str, place: Place) -> Option<Type> {
        let kind = match word {
            "bool" => Type::Bool,
            "int" => Type::Int,
            "float" => Type::Float,
            "decimal" => Type::Decimal,
            "string" => Type::String,
            "timestamp" => Type::Timestamp,
            "duration" => Type::Duration,
            "any" => Type::Any,
            other => {
                let diagnostic = Diagnostic::error(&code::TYPE_NAME, place, format!("there is no type `{other}`"));
                self.diagnostics.push(diagnostic.help(meant_type(other)));
                return None;
            }
        };
        Some(kind)
    }
}

/// A mark in other letters, or by another of its names.
fn meant_mark(mark: &str) -> Option<&'static str> {
    match mark.to_lowercase().as_str() {
        "@time" | "@timestamp" | "@ts" | "@event_time" | "@rowtime" => Some("write `@time`"),
        "@key" | "@id" | "@partition" | "@primary_key" => Some("write `@key`"),
        "@type" | "@kind" | "@event_type" => Some("write `@type`"),
        _ => None,
    }
}

/// What somebody who writes another language's word for a type may want.
fn meant_type(word: &str) -> String {
    let meant = match word.to_lowercase().as_str() {
        "bool" | "boolean" => Some("bool"),
        "int" | "integer" | "long" | "bigint" | "i64" | "i32" | "number" => Some("int"),
        "float" | "double" | "real" | "f64" => Some("float"),
        "string" | "text" | "str" | "varchar" | "char" => Some("string"),
        "decimal" | "numeric" | "money" => Some("decimal"),
        "timestamp" | "datetime" | "time" | "date" | "instant" => Some("timestamp"),
        "duration" | "interval" | "span" => Some("duration"),
        "array" | "vec" | "list" => Some("list<any>"),
        "any" | "object" | "json" | "map" | "record" => Some("any"),
        _ => None,
    };
    match meant {
        Some(meant) => format!("write `{meant}`"),
        None => "the types are bool, int, float, decimal, string, timestamp, duration, list<T> and any".into(),
    }
}
