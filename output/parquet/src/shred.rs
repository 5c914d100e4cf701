//! Takes rows apart into columns: tables of Lua by the schema, and the message that is being processed.

use sandbox::native::{Call, Error, Type};
use schemas::{FieldView, Value, View};

use crate::column::{Column, Misfit};
use crate::schema::{ColumnPlan, Kind, Node, Plan, Shape};

/// Bytes that a row may add between two looks at the memory limit.
const BYTES_PER_CHECK: usize = 64 * 1024;

/// What a level or a value of a fixed size adds to a column, in bytes.
const VALUE_BYTES: usize = 10;

/// Bytes that are copied in one step of the budget.
const BYTES_PER_STEP: usize = 16;

/// Takes one row apart.
pub struct Shredder<'s, 'c, 'a> {
    call: &'c mut Call<'a>,
    plan: &'s Plan,
    columns: &'s mut [Column],
    /// Where on the stack the names of the nodes lie.
    keys: i32,
    /// Bytes that the row has added.
    grown: usize,
    checked: usize,
}

fn misfit(words: Misfit) -> Error {
    Error::bare(words)
}

impl<'s, 'c, 'a> Shredder<'s, 'c, 'a> {
    /// Begins a row; `keys` is the position of a table with the names of the plan.
    pub fn new(
        call: &'c mut Call<'a>,
        plan: &'s Plan,
        columns: &'s mut [Column],
        keys: i32,
    ) -> Shredder<'s, 'c, 'a> {
        Shredder {
            call,
            plan,
            columns,
            keys,
            grown: 0,
            checked: 0,
        }
    }

    /// Bytes that the row has added to its columns, about.
    pub fn grown(&self) -> usize {
        self.grown
    }

    /// Takes the record on top apart.
    ///
    /// # Errors
    /// When it does not fit: the words name the column or group.
    pub fn record(&mut self) -> Result<(), Error> {
        self.fields(self.plan.fields(), (0, 0))
    }

    /// Charges a value of so many bytes, and looks at the memory limit now and then: tables that lie in each other many
    /// times make a row much larger than what Lua holds.
    fn count(&mut self, n_bytes: usize) -> Result<(), Error> {
        let steps = 1 + n_bytes / BYTES_PER_STEP;
        self.call.charge(u32::try_from(steps).unwrap_or(u32::MAX))?;
        self.grown += n_bytes + VALUE_BYTES;
        if self.grown - self.checked > BYTES_PER_CHECK {
            self.checked = self.grown;
            // Buffers double when they grow.
            self.call.check_memory(self.grown.saturating_mul(2))?;
        }
        Ok(())
    }

    /// The fields of the table on top, by their names.
    fn fields(&mut self, fields: &'s [Node], levels: (u8, u8)) -> Result<(), Error> {
        let table = self.call.top();
        for field in fields {
            self.call.raw_get_index(self.keys, i64::from(field.key))?;
            self.call.get(table, -1)?;
            self.field(field, levels)?;
            self.call.truncate(table);
        }
        Ok(())
    }

    /// The items of the table on top, one for each field.
    fn tuple(&mut self, fields: &'s [Node], levels: (u8, u8)) -> Result<(), Error> {
        for (field, i) in fields.iter().zip(1..) {
            self.call.raw_get_index(-1, i)?;
            self.field(field, levels)?;
            self.call.pop(1);
        }
        Ok(())
    }

    /// The value on top belongs to this node, in a group whose levels are given.
    fn field(&mut self, node: &'s Node, (r, d): (u8, u8)) -> Result<(), Error> {
        match (self.call.type_of(-1), &node.kind) {
            (Type::Table, Kind::Group(shape, fields)) => self.group(node, *shape, fields, (r, d)),
            (Type::Table, Kind::Column(column)) => self.values(node, *column, (r, d)),
            (Type::Nil | Type::None, _) => self.null(node, (r, d)),
            (Type::LightUserdata, _) if self.call.light_at(-1) == Some(0) => {
                self.null(node, (r, d))
            }
            _ => self.value(node, (r, node.dl)),
        }
    }

    fn group(
        &mut self,
        node: &'s Node,
        shape: Shape,
        fields: &'s [Node],
        (mut r, d): (u8, u8),
    ) -> Result<(), Error> {
        let n = self.call.raw_len(-1);
        if !node.is_repeated() || n == 0 {
            // An array that was decoded without items, unlike a table that happens to have no fields.
            if node.is_repeated() && self.call.is_empty_array(-1) {
                return self.null(node, (r, d));
            }
            return self.shape(shape, fields, (r, node.dl));
        }
        for i in 1..=n {
            self.call.raw_get_index(-1, i as i64)?;
            if self.call.type_of(-1) != Type::Table {
                let name = &node.name;
                return Err(misfit(format!(
                    "column '{name}' expected an array of groups"
                )));
            }
            self.fields(fields, (r, node.dl))?;
            self.call.pop(1);
            r = node.rl;
        }
        Ok(())
    }

    fn shape(&mut self, shape: Shape, fields: &'s [Node], levels: (u8, u8)) -> Result<(), Error> {
        match (shape, fields) {
            (Shape::Map, [inner]) => self.map(inner, levels),
            (Shape::List, [inner]) => self.list(inner, levels),
            (Shape::Tuple, _) => self.tuple(fields, levels),
            _ => self.fields(fields, levels),
        }
    }

    /// The entries of the table on top, as the repeated group of a map.
    fn map(&mut self, inner: &'s Node, (r, d): (u8, u8)) -> Result<(), Error> {
        let Kind::Group(_, fields) = &inner.kind else {
            unreachable!("a finished map holds a group");
        };
        let [key, value] = &fields[..] else {
            unreachable!("a finished map has keys and values");
        };
        let mut at = r;
        let mut any = false;
        // `for_each` borrows the call, so the walk goes by copies of the table's entries.
        let table = self.call.top();
        let entries = self.entries(table)?;
        for i in 0..entries {
            self.call.raw_get_index(table + 1, 2 * i + 2)?;
            self.field(value, (at, inner.dl))?;
            self.call.pop(1);
            self.call.raw_get_index(table + 1, 2 * i + 1)?;
            self.value(key, (at, key.dl))?;
            self.call.pop(1);
            at = inner.rl;
            any = true;
        }
        self.call.truncate(table);
        match any {
            true => Ok(()),
            false => self.null(inner, (r, d)),
        }
    }

    /// Pushes a table with the keys and values of the one at `table`, in turns, and says how many there are.
    fn entries(&mut self, table: i32) -> Result<i64, Error> {
        self.call.push_table(0, 0)?;
        let copy = self.call.top();
        let mut n = 0;
        self.call.for_each(table, |call| {
            call.charge(2)?;
            let (key, value) = (call.top() - 1, call.top());
            call.push_value(key)?;
            call.raw_set_index(copy, 2 * n + 1)?;
            call.push_value(value)?;
            call.raw_set_index(copy, 2 * n + 2)?;
            n += 1;
            Ok(())
        })?;
        Ok(n)
    }

    /// The items of the table on top, as the repeated group of a list.
    fn list(&mut self, inner: &'s Node, (r, d): (u8, u8)) -> Result<(), Error> {
        let Kind::Group(_, fields) = &inner.kind else {
            unreachable!("a finished list holds a group");
        };
        let n = self.call.raw_len(-1);
        if n == 0 {
            return self.null(inner, (r, d));
        }
        let mut at = r;
        for i in 1..=n {
            self.call.raw_get_index(-1, i as i64)?;
            self.field(&fields[0], (at, inner.dl))?;
            self.call.pop(1);
            at = inner.rl;
        }
        Ok(())
    }

    /// The items of the table on top go into a repeated column.
    fn values(&mut self, node: &'s Node, column: usize, (mut r, d): (u8, u8)) -> Result<(), Error> {
        if !node.is_repeated() {
            let name = &node.name;
            return Err(misfit(format!("column '{name}' should not be repeated")));
        }
        let n = self.call.raw_len(-1);
        if n == 0 {
            self.count(0)?;
            let plan = &self.plan.columns()[column];
            return self.columns[column].push_null(plan, (r, d)).map_err(misfit);
        }
        for i in 1..=n {
            self.call.raw_get_index(-1, i as i64)?;
            self.value(node, (r, node.dl))?;
            self.call.pop(1);
            r = node.rl;
        }
        Ok(())
    }

    /// The value on top goes into a column.
    fn value(&mut self, node: &'s Node, levels: (u8, u8)) -> Result<(), Error> {
        let Kind::Column(column) = node.kind else {
            let name = &node.name;
            return Err(misfit(format!("group '{name}' expected, found data")));
        };
        let kind = self.call.type_of(-1);
        self.count(if kind == Type::String {
            self.call.raw_len(-1)
        } else {
            0
        })?;
        let (plan, column) = (&self.plan.columns()[column], &mut self.columns[column]);
        let pushed = match kind {
            Type::String => {
                let text = self.call.bytes_at(-1).unwrap_or_default();
                column.push_bytes(plan, text, levels)
            }
            Type::Number => {
                let number = self.call.number_at(-1).unwrap_or_default();
                column.push_number(plan, number, levels)
            }
            Type::Boolean => column.push_bool(plan, self.call.is_true(-1), levels),
            _ => {
                let (name, kind) = (&node.name, kind.name());
                Err(format!("column '{name}' unsupported data type: {kind}"))
            }
        };
        pushed.map_err(misfit)
    }

    /// There is nothing for this node: all columns below it hear of it.
    fn null(&mut self, node: &'s Node, levels: (u8, u8)) -> Result<(), Error> {
        self.count(0)?;
        match &node.kind {
            Kind::Column(column) => {
                let plan = &self.plan.columns()[*column];
                self.columns[*column]
                    .push_null(plan, levels)
                    .map_err(misfit)
            }
            Kind::Group(_, fields) => {
                if node.dl == 0 {
                    let name = &node.name;
                    return Err(misfit(format!("group '{name}' is required")));
                }
                fields.iter().try_for_each(|field| self.null(field, levels))
            }
        }
    }
}

/// Takes a message apart: headers by their names, and a group `Fields` of columns.
///
/// # Errors
/// When it does not fit: the words name the column or group.
pub fn message(plan: &Plan, columns: &mut [Column], view: &View<'_>) -> Result<(), Misfit> {
    for node in plan.fields() {
        match &node.kind {
            Kind::Column(column) if !node.is_repeated() => {
                let place = (&plan.columns()[*column], &mut columns[*column]);
                header(node, place, view)?;
            }
            Kind::Group(_, fields) if node.name == "Fields" && !node.is_repeated() => {
                for field in fields {
                    self::field(field, node, plan, columns, view)?;
                }
            }
            _ => return Err(format!("group '{}' invalid schema", node.name)),
        }
    }
    Ok(())
}

fn header(
    node: &Node,
    (plan, column): (&ColumnPlan, &mut Column),
    view: &View<'_>,
) -> Result<(), Misfit> {
    let levels = (node.rl, node.dl);
    let text = match node.name.as_str() {
        "Timestamp" => {
            return column.push_integer(plan, i128::from(view.timestamp()), levels);
        }
        "Severity" => return column.push_integer(plan, i128::from(view.severity()), levels),
        "size" => return column.push_integer(plan, view.bytes().len() as i128, levels),
        "Pid" => {
            return match view.pid() {
                Some(pid) => column.push_integer(plan, i128::from(pid), levels),
                None => column.push_null(plan, (0, 0)),
            };
        }
        "Uuid" => view.uuid(),
        "Type" => view.type_(),
        "Logger" => view.logger(),
        "Payload" => view.payload(),
        "EnvVersion" => view.env_version(),
        "Hostname" => view.hostname(),
        name => return Err(format!("column '{name}' invalid schema")),
    };
    match text {
        Some(text) => column.push_bytes(plan, text, levels),
        None => column.push_null(plan, (0, 0)),
    }
}

fn field(
    node: &Node,
    group: &Node,
    plan: &Plan,
    columns: &mut [Column],
    view: &View<'_>,
) -> Result<(), Misfit> {
    let Kind::Column(column) = node.kind else {
        return Err(format!("group '{}' not allowed in Fields", node.name));
    };
    let (plan, column) = (&plan.columns()[column], &mut columns[column]);
    let mut n = 0;
    if let Some(field) = view.field(node.name.as_bytes(), 0) {
        n = push_values(node, (plan, column), &field)?;
    }
    match n {
        0 => column.push_null(plan, (group.rl, group.dl)),
        _ => Ok(()),
    }
}

/// The values of a field; how many there are.
fn push_values(
    node: &Node,
    (plan, column): (&ColumnPlan, &mut Column),
    field: &FieldView<'_>,
) -> Result<usize, Misfit> {
    let mut r = 0;
    let mut n = 0;
    for value in field.values() {
        if n > 0 && !node.is_repeated() {
            return Err(format!("column '{}' data is repeated", node.name));
        }
        let levels = (r, node.dl);
        match value {
            Value::String(text) | Value::Bytes(text) => column.push_bytes(plan, text, levels),
            Value::Integer(number) => column.push_integer(plan, i128::from(number), levels),
            Value::Double(number) => column.push_double(plan, number, levels),
            Value::Bool(truth) => column.push_bool(plan, truth, levels),
        }?;
        r = node.rl;
        n += 1;
    }
    Ok(n)
}
