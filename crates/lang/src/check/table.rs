//! Tables of reference data, and what is looked up in them: `products[sku].category`.

use std::collections::HashMap;

use ensue_model::Type;
use ensue_model::expr::Expr;
use ensue_model::schema::Field;
use ensue_model::table::{ColumnId, TableId, TableShape};

use super::expression::{Context, Kind, Lowering, Place as At, Typed};
use super::world::World;
use super::{constant, names};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, ExprKind, File, Item, Name, Place, Table};

/// The most tables that there can be.
const TABLES_MAX: usize = 1_024;

/// The most columns that a table can have.
const COLUMNS_MAX: usize = 1_024;

/// The tables of all files: the caller binds them by name, so each is known to all.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) shapes: Vec<TableShape>,
    /// None where something in it is wrong, which has been reported.
    by_name: HashMap<String, Option<TableId>>,
}

impl Tables {
    pub(super) fn is_declared(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn get(&self, table: TableId) -> &TableShape {
        &self.shapes[usize::from(table.0)]
    }
}

pub(super) fn collect(world: &mut World<'_>, files: &[File]) {
    let mut given: HashMap<&str, (usize, Place)> = HashMap::new();
    for (source, file) in files.iter().enumerate() {
        for item in &file.items {
            let Item::Table(table) = item else { continue };
            match given.get(table.name.text.as_str()) {
                Some(first) => {
                    let diagnostic = names::twice_in_all(world.sources, "table", source, &table.name, *first);
                    world.report(source, diagnostic);
                }
                None => {
                    given.insert(&table.name.text, (source, table.name.place));
                    declare(world, source, table);
                }
            }
        }
    }
}

fn declare(world: &mut World<'_>, source: usize, table: &Table) {
    let found = world.found.len();
    let columns = columns(world, source, table);
    let key = columns.iter().position(|column| column.name == table.key.text);
    if key.is_none() {
        let names = columns.iter().map(|column| column.name.as_str());
        let diagnostic = unknown_column(world, &table.name.text, &table.key, names);
        world.report(source, diagnostic);
    }
    if world.tables.shapes.len() == TABLES_MAX {
        let message = format!("there are more than {TABLES_MAX} tables");
        world.report(source, Diagnostic::error(&code::TOO_LARGE, table.name.place, message));
    }
    let is_sound = world.found.len() == found;
    let id = key.filter(|_| is_sound).map(|key| {
        let (name, doc, key) = (table.name.text.clone(), table.doc.clone(), ColumnId(key as u16));
        world.tables.shapes.push(TableShape { name, doc, key, columns });
        TableId((world.tables.shapes.len() - 1) as u16)
    });
    world.tables.by_name.insert(table.name.text.clone(), id);
}

fn columns(world: &mut World<'_>, source: usize, table: &Table) -> Vec<Field> {
    if let Some(too_many) = table.fields.get(COLUMNS_MAX) {
        let message =
            format!("table `{}` has {} columns, the limit is {COLUMNS_MAX}", table.name.text, table.fields.len());
        world.report(source, Diagnostic::error(&code::TOO_LARGE, too_many.name.place, message));
    }
    let mut given: HashMap<&str, Place> = HashMap::new();
    for field in table.fields.iter().take(COLUMNS_MAX) {
        match given.get(field.name.text.as_str()) {
            Some(first) => world.report(source, names::twice("column", &field.name, *first)),
            None => {
                given.insert(&field.name.text, field.name.place);
            }
        }
        if let Some(mark) = field.marks.first() {
            let diagnostic = Diagnostic::error(&code::MARK, mark.place, "a table's columns have no marks");
            let help = format!("rows are found by what stands behind `key`: `table {} key ..`", table.name.text);
            world.report(source, diagnostic.help(help));
        }
    }
    let column = |field: &tree::Field| Field {
        name: field.name.text.clone(),
        kind: field.kind.kind.clone(),
        nullable: field.kind.nullable,
    };
    table.fields.iter().take(COLUMNS_MAX).map(column).collect()
}

fn unknown_column<'n>(
    world: &World<'_>,
    table: &str,
    name: &Name,
    columns: impl Iterator<Item = &'n str> + Clone,
) -> Diagnostic {
    let message = format!("table `{table}` has no column `{}`", name.text);
    let help = world.meant(&name.text, columns.clone());
    let help = help.unwrap_or_else(|| names::listed("the columns are", columns));
    Diagnostic::error(&code::LOOKUP, name.place, message).help(help)
}

impl Lowering<'_, '_> {
    /// The name of the table that an expression names by its name alone.
    pub(super) fn table<'t>(&self, expr: &'t tree::Expr, context: &Context<'_>) -> Option<&'t str> {
        let ExprKind::Name(name) = &expr.kind else { return None };
        let is_table = self.world.tables.is_declared(&name.text) && !self.is_nearer(&name.text, context);
        is_table.then_some(name.text.as_str())
    }

    /// `products[sku].category`
    pub(super) fn lookup(
        &mut self,
        expr: &tree::Expr,
        table: &str,
        key: &tree::Expr,
        column: &Name,
        context: &Context<'_>,
    ) -> Typed {
        if context.place == At::Key {
            let message = "nothing can be looked up in a key: a table may change, and an event's key may not";
            self.report(Diagnostic::error(&code::OUT_OF_PLACE, expr.place, message));
            return Typed::unknown();
        }
        let Some(id) = self.world.tables.by_name.get(table).copied().flatten() else { return Typed::unknown() };
        let shape = self.world.tables.get(id);
        let (key_name, key_kind) = {
            let key = &shape.columns[usize::from(shape.key.0)];
            (key.name.clone(), key.kind.clone())
        };
        let found = shape.column(&column.text).map(|id| (id, shape.columns[usize::from(id.0)].kind.clone()));
        if found.is_none() {
            let names = shape.columns.iter().map(|column| column.name.as_str());
            let diagnostic = unknown_column(self.world, table, column, names);
            self.report(diagnostic);
        }
        let typed = self.lower(key, &context.exact_if(key_kind == Type::Decimal));
        let typed = self.as_key(key, typed, table, &key_name, &key_kind);
        match (found, typed.kind) {
            (Some((column, kind)), Kind::Is(_)) => Typed::new(Expr::Lookup(id, Box::new(typed.expr), column), kind),
            _ => Typed::unknown(),
        }
    }

    /// What rows are found by has the type of the key's column: others are never equal to it.
    fn as_key(&mut self, key: &tree::Expr, typed: Typed, table: &str, name: &str, wanted: &Type) -> Typed {
        let kind = typed.type_or_any();
        let expr = constant::int_as(typed.expr, wanted);
        let is_written = matches!(&expr, Expr::Constant(value) if value.type_of() == *wanted);
        if is_written || kind == *wanted || kind == Type::Any || *wanted == Type::Any {
            return Typed { expr, ..typed };
        }
        let message = format!("table `{table}` finds its rows by `{name}`, which is {wanted}, and this is {kind}");
        let diagnostic = Diagnostic::error(&code::UNLIKE_TYPES, key.place, message);
        self.report(diagnostic.label(format!("this is {kind}")));
        Typed::unknown()
    }

    /// A table, or a row of one, where a value is needed.
    pub(super) fn table_as_value(&mut self, place: Place, table: &str, key: Option<&tree::Expr>) -> Typed {
        let shape = self.world.tables.by_name.get(table).copied().flatten().map(|id| self.world.tables.get(id));
        let Some(shape) = shape else { return Typed::unknown() };
        let key_name = &shape.columns[usize::from(shape.key.0)].name;
        let column =
            shape.columns.iter().find(|column| column.name != *key_name).map_or(key_name, |column| &column.name);
        let (message, key) = match key {
            Some(key) => (format!("a row of table `{table}` is not a value"), self.written(key)),
            None => (format!("`{table}` is a table, not a value"), key_name.clone()),
        };
        let help = format!("name a column of a row, as in `{table}[{key}].{column}`");
        self.report(Diagnostic::error(&code::LOOKUP, place, message).help(help));
        Typed::unknown()
    }

    /// `product[sku].category`, with a table `products` and nothing of the name that is written.
    pub(super) fn misspelt_table(&self, base: &tree::Expr, context: &Context<'_>) -> Option<Diagnostic> {
        let ExprKind::Index(table, _) = &base.kind else { return None };
        let ExprKind::Name(name) = &table.kind else { return None };
        if self.is_nearer(&name.text, context) || self.is_field(&name.text, context) {
            return None;
        }
        let tables = self.world.tables.shapes.iter().map(|table| table.name.as_str());
        let help = self.world.meant(&name.text, tables)?;
        let message = format!("there is no table `{}`", name.text);
        Some(Diagnostic::error(&code::LOOKUP, name.place, message).help(help))
    }
}
