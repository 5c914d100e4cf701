//! Takes rows apart into columns: tables of Lua by the schema, and the message that is being processed.

use sandbox::native::{Call, Error, Item, Type};
use schemas::{FieldView, Value, View};

use crate::column::{Column, Misfit};
use crate::schema::{ColumnPlan, Kind, Node, Plan, Shape};

/// Bytes that a row may add between two looks at the memory limit.
const BYTES_PER_CHECK: usize = 64 * 1024;

/// What a level or a value of a fixed size adds to a column, in bytes.
const VALUE_BYTES: usize = 10;

/// Bytes that are copied in one step of the budget.
const BYTES_PER_STEP: usize = 16;

/// What a row has added, and what is asked because of it.
#[derive(Default)]
struct Meter {
    /// Bytes that the row has added.
    grown: usize,
    /// How many they were at the last look at the memory limit.
    checked: usize,
}

impl Meter {
    /// Charges a value of so many bytes, and looks at the memory limit now and then: tables that lie in each other many
    /// times make a row much larger than what Lua holds.
    #[inline]
    fn count(&mut self, call: &Call<'_>, n_bytes: usize) -> Result<(), Error> {
        let steps = 1 + n_bytes / BYTES_PER_STEP;
        call.charge(u32::try_from(steps).unwrap_or(u32::MAX))?;
        self.grown += n_bytes + VALUE_BYTES;
        if self.grown - self.checked > BYTES_PER_CHECK {
            self.checked = self.grown;
            // Buffers double when they grow.
            call.check_memory(self.grown.saturating_mul(2))?;
        }
        Ok(())
    }
}

/// Takes one row apart.
pub struct Shredder<'s, 'c, 'a> {
    call: &'c mut Call<'a>,
    plan: &'s Plan,
    columns: &'s mut [Column],
    /// Where on the stack the names of the nodes lie.
    keys: i32,
    meter: Meter,
}

/// Where in a table a value lies.
#[derive(Clone, Copy)]
enum At {
    /// Under the name that is so far among the keys.
    Key(i32),
    /// As an item, from 1.
    Item(usize),
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
            meter: Meter::default(),
        }
    }

    /// Bytes that the row has added to its columns, about.
    pub fn grown(&self) -> usize {
        self.meter.grown
    }

    /// Takes the record on top apart.
    ///
    /// # Errors
    /// When it does not fit: the words name the column or group.
    pub fn record(&mut self) -> Result<(), Error> {
        self.fields(self.plan.fields(), (0, 0))
    }

    /// The fields of the table on top, by their names.
    fn fields(&mut self, fields: &'s [Node], levels: (u8, u8)) -> Result<(), Error> {
        let table = self.call.top();
        for field in fields {
            if self.peek(field, (table, At::Key(field.key)), levels)? {
                continue;
            }
            self.call.raw_get_index(self.keys, i64::from(field.key))?;
            self.call.get(table, -1)?;
            self.field(field, levels)?;
            self.call.truncate(table);
        }
        Ok(())
    }

    /// Puts what lies in the table at `table` of the stack into the column that `node` is; false where it has to be pushed.
    #[inline]
    fn peek(
        &mut self,
        node: &Node,
        (table, at): (i32, At),
        levels: (u8, u8),
    ) -> Result<bool, Error> {
        let Kind::Column(column) = node.kind else {
            return Ok(false);
        };
        let item = match at {
            At::Key(key) => self.call.field_item(table, self.keys, key),
            At::Item(i) => self.call.array_item(table, i),
        };
        let Some(item) = item.filter(|item| !matches!(item, Item::Table)) else {
            return Ok(false);
        };
        let column = (&self.plan.columns()[column], &mut self.columns[column]);
        match item {
            Item::Nil => put_null(self.call, &mut self.meter, column, levels),
            _ => put(self.call, &mut self.meter, column, item, levels.0),
        }?;
        Ok(true)
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
            _ => self.value(node, r),
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
            self.value(key, at)?;
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
        let (table, element) = (self.call.top(), &fields[0]);
        let mut at = r;
        for i in 1..=n {
            if !self.peek(element, (table, At::Item(i)), (at, inner.dl))? {
                self.call.raw_get_index(table, i as i64)?;
                self.field(element, (at, inner.dl))?;
                self.call.pop(1);
            }
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
            let column = (&self.plan.columns()[column], &mut self.columns[column]);
            return put_null(self.call, &mut self.meter, column, (r, d));
        }
        for i in 1..=n {
            self.call.raw_get_index(-1, i as i64)?;
            self.value(node, r)?;
            self.call.pop(1);
            r = node.rl;
        }
        Ok(())
    }

    /// The value on top goes into a column.
    fn value(&mut self, node: &'s Node, r: u8) -> Result<(), Error> {
        let Kind::Column(column) = node.kind else {
            let name = &node.name;
            return Err(misfit(format!("group '{name}' expected, found data")));
        };
        let column = (&self.plan.columns()[column], &mut self.columns[column]);
        put(self.call, &mut self.meter, column, self.call.item(-1), r)
    }

    /// There is nothing for this node: all columns below it hear of it.
    fn null(&mut self, node: &'s Node, levels: (u8, u8)) -> Result<(), Error> {
        match &node.kind {
            Kind::Column(column) => {
                let column = (&self.plan.columns()[*column], &mut self.columns[*column]);
                put_null(self.call, &mut self.meter, column, levels)
            }
            Kind::Group(_, fields) => {
                self.meter.count(self.call, 0)?;
                if node.dl == 0 {
                    let name = &node.name;
                    return Err(misfit(format!("group '{name}' is required")));
                }
                fields.iter().try_for_each(|field| self.null(field, levels))
            }
        }
    }
}

/// A value, in a row with repetition level `r`, goes into its column.
#[inline(always)]
fn put(
    call: &Call<'_>,
    meter: &mut Meter,
    (plan, column): (&ColumnPlan, &mut Column),
    item: Item<'_>,
    r: u8,
) -> Result<(), Error> {
    let n_bytes = match item {
        Item::String(text) => text.len(),
        _ => 0,
    };
    meter.count(call, n_bytes)?;
    let levels = (r, plan.dl);
    let pushed = match item {
        Item::String(text) => column.push_bytes(plan, text, levels),
        Item::Number(number) => column.push_number(plan, number, levels),
        Item::Boolean(truth) => column.push_bool(plan, truth, levels),
        other => {
            let (name, kind) = (&plan.name, other.kind().name());
            Err(format!("column '{name}' unsupported data type: {kind}"))
        }
    };
    pushed.map_err(misfit)
}

/// There is nothing for a column.
#[inline(always)]
fn put_null(
    call: &Call<'_>,
    meter: &mut Meter,
    (plan, column): (&ColumnPlan, &mut Column),
    levels: (u8, u8),
) -> Result<(), Error> {
    meter.count(call, 0)?;
    column.push_null(plan, levels).map_err(misfit)
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
