//! The key of a pattern.

use ensue_model::Keys;
use ensue_model::expr::Expr;
use ensue_model::schema::FieldId;

use super::expression::{Lowering, Place as At};
use crate::tree::{self, ClauseKind, ExprKind, Pattern};

/// What the pattern says, else the stream, else the caller, else none.
pub(super) fn parts(lowering: &mut Lowering<'_, '_>, pattern: &Pattern) -> Keys {
    let said = pattern.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Key(parts) => Some(parts),
        _ => None,
    });
    match said {
        Some(parts) => Keys::new(parts.iter().map(|part| key_part(lowering, part)).collect()),
        None => Keys::new(default_parts(lowering)),
    }
}

fn key_part(lowering: &mut Lowering<'_, '_>, part: &tree::Expr) -> (String, Expr) {
    let name = match &part.kind {
        ExprKind::Name(name) => name.text.clone(),
        _ => lowering.written(part),
    };
    (name, lowering.value(part, At::Key))
}

/// The caller's fields join an open schema only here, where a pattern needs them: each field of a schema is decoded for
/// each event.
fn default_parts(lowering: &mut Lowering<'_, '_>) -> Vec<(String, Expr)> {
    let options = lowering.world.options;
    let fields: Vec<FieldId> = match lowering.world.schema.key {
        Some(field) => vec![field],
        None => options.key.iter().filter_map(|name| lowering.world.find_or_add(name)).collect(),
    };
    let schema = &lowering.world.schema;
    let part = |field| (schema.get(field).name.clone(), Expr::Field(field));
    fields.into_iter().map(part).collect()
}
