//! What a file's rows look like: a tree of groups and columns, built step by step and then finished into a [`Plan`].
//!
//! Names and rules are those of the public module; levels are those of the Dremel paper (Melnik et al., 2010).

use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr, SchemaDescriptor, Type, TypePtr};

/// Groups and columns of one schema, at most; bounds what building and writing take.
pub const MAX_NODES: usize = 10_000;

/// Deepest nesting; bounds recursion over the schema.
pub const MAX_DEPTH: usize = 64;

/// Longest name in bytes.
pub const MAX_NAME: usize = 1_024;

/// Longest value of a column of fixed length in bytes.
pub const MAX_FIXED: i32 = 1 << 20;

/// Memory of a node while it is built and when it is finished, beside its name, in bytes: an estimate on the high side.
const NODE_MEMORY: usize = 600;

/// What the values of a group or column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    /// What the format knows; [`ConvertedType::NONE`] for nothing beyond the stored type.
    Converted(ConvertedType),
    /// A group whose fields are the items of an array, in their order. The file does not say so.
    Tuple,
}

/// A column before it is finished.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// How often it occurs in its group.
    pub repetition: Repetition,
    /// How it is stored.
    pub physical: Physical,
    /// What it means.
    pub logical: Logical,
    /// Bytes of a value of fixed length, -1 if it has none.
    pub length: i32,
    /// Digits of a decimal number, -1 if it is none.
    pub precision: i32,
    /// Digits behind the decimal point, -1 if it is none.
    pub scale: i32,
}

#[derive(Debug)]
enum Part {
    Group {
        repetition: Repetition,
        logical: Logical,
        fields: Vec<usize>,
        depth: usize,
    },
    Column(TypePtr),
}

#[derive(Debug)]
struct Draft {
    name: String,
    part: Part,
}

/// A schema that is being built, and its plan when it is finished.
#[derive(Debug)]
pub struct Builder {
    nodes: Vec<Draft>,
    hive: bool,
    names: usize,
    plan: Option<Arc<Plan>>,
}

/// The root of every [`Builder`].
pub const ROOT: usize = 0;

impl Builder {
    /// A schema without fields. With `hive`, names are written as Hive can read them, see [`hive_name`].
    pub fn new(name: &str, hive: bool) -> Builder {
        let root = Draft {
            name: name.into(),
            part: Part::Group {
                repetition: Repetition::REQUIRED,
                logical: Logical::Converted(ConvertedType::NONE),
                fields: Vec::new(),
                depth: 0,
            },
        };
        Builder {
            nodes: vec![root],
            hive,
            names: name.len(),
            plan: None,
        }
    }

    /// The finished schema.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        self.nodes.len() * NODE_MEMORY + 4 * self.names
    }

    /// Adds a group to the group `parent`; its number.
    ///
    /// # Errors
    /// When the schema becomes too large.
    pub fn add_group(
        &mut self,
        parent: usize,
        name: &str,
        repetition: Repetition,
        logical: Logical,
    ) -> Result<usize, String> {
        let depth = self.depth(parent) + 1;
        if depth > MAX_DEPTH {
            return Err(format!("schema nests deeper than {MAX_DEPTH}"));
        }
        let part = Part::Group {
            repetition,
            logical,
            fields: Vec::new(),
            depth,
        };
        self.add(parent, name, part)
    }

    /// Adds a column to the group `parent`.
    ///
    /// # Errors
    /// When its meaning does not go with how it is stored, or the schema becomes too large.
    pub fn add_column(
        &mut self,
        parent: usize,
        name: &str,
        spec: ColumnSpec,
    ) -> Result<(), String> {
        let Logical::Converted(converted) = spec.logical else {
            return Err(format!(
                "TUPLE cannot be applied to primitive field '{name}'"
            ));
        };
        if spec.physical == Physical::FIXED_LEN_BYTE_ARRAY
            && !(1..=MAX_FIXED).contains(&spec.length)
        {
            let length = spec.length;
            return Err(format!(
                "Invalid FIXED_LEN_BYTE_ARRAY length: {length} for field '{name}'"
            ));
        }
        let written = self.written(name);
        let column = Type::primitive_type_builder(&written, spec.physical)
            .with_repetition(spec.repetition)
            .with_converted_type(converted)
            .with_length(spec.length)
            .with_precision(spec.precision)
            .with_scale(spec.scale)
            .build()
            .map_err(|error| crate::words(&error))?;
        self.add(parent, name, Part::Column(Arc::new(column)))
            .map(drop)
    }

    fn add(&mut self, parent: usize, name: &str, part: Part) -> Result<usize, String> {
        let place = self.nodes.len();
        if place >= MAX_NODES {
            return Err(format!("schema has more than {MAX_NODES} fields"));
        }
        match &mut self.nodes[parent].part {
            Part::Group { fields, .. } => fields.push(place),
            Part::Column(_) => {
                return Err(format!("field '{}' is no group", self.nodes[parent].name));
            }
        }
        self.names += name.len();
        self.nodes.push(Draft {
            name: name.into(),
            part,
        });
        Ok(place)
    }

    fn depth(&self, place: usize) -> usize {
        match self.nodes[place].part {
            Part::Group { depth, .. } => depth,
            Part::Column(_) => 0,
        }
    }

    fn written(&self, name: &str) -> String {
        match self.hive {
            true => hive_name(name),
            false => name.into(),
        }
    }

    /// Finishes the schema; a second time it does nothing.
    ///
    /// # Errors
    /// When a group is empty, or a map or list is not built as the format wants.
    pub fn finish(&mut self) -> Result<Arc<Plan>, String> {
        if let Some(plan) = &self.plan {
            return Ok(Arc::clone(plan));
        }
        let mut columns = Vec::new();
        let (fields, root) = self.build(ROOT, (0, 0), &mut columns)?;
        let descriptor = Arc::new(SchemaDescriptor::new(root));
        let described = descriptor.columns().iter().zip(columns);
        let columns = described
            .map(|(described, name)| ColumnPlan::new(name, described))
            .collect();
        let plan = Plan::new(fields, columns, descriptor);
        Ok(Arc::clone(self.plan.insert(Arc::new(plan))))
    }

    /// The fields of a group, and the group as the format has it; recursion ends at [`MAX_DEPTH`].
    fn build(
        &self,
        place: usize,
        (rl, dl): (u8, u8),
        columns: &mut Vec<String>,
    ) -> Result<(Vec<Node>, TypePtr), String> {
        let draft = &self.nodes[place];
        let Part::Group {
            repetition,
            logical,
            fields,
            ..
        } = &draft.part
        else {
            unreachable!("only groups are built");
        };
        if fields.is_empty() {
            return Err(format!("group '{}' is empty", draft.name));
        }
        let mut nodes = Vec::with_capacity(fields.len());
        let mut types = Vec::with_capacity(fields.len());
        for &field in fields {
            let (node, written) = self.build_field(field, (rl, dl), columns)?;
            nodes.push(node);
            types.push(written);
        }
        let converted = match logical {
            Logical::Converted(converted) => *converted,
            Logical::Tuple => ConvertedType::NONE,
        };
        let name = self.written(&draft.name);
        let group = Type::group_type_builder(&name)
            .with_converted_type(converted)
            .with_fields(types);
        // The root has no repetition in a file.
        let group = match place {
            ROOT => group,
            _ => group.with_repetition(*repetition),
        };
        let group = group.build().map_err(|error| crate::words(&error))?;
        Ok((nodes, Arc::new(group)))
    }

    fn build_field(
        &self,
        place: usize,
        (rl, dl): (u8, u8),
        columns: &mut Vec<String>,
    ) -> Result<(Node, TypePtr), String> {
        let draft = &self.nodes[place];
        let repetition = match &draft.part {
            Part::Group { repetition, .. } => *repetition,
            Part::Column(column) => column.get_basic_info().repetition(),
        };
        let (rl, dl) = match repetition {
            Repetition::REQUIRED => (rl, dl),
            Repetition::OPTIONAL => (rl, dl + 1),
            Repetition::REPEATED => (rl + 1, dl + 1),
        };
        let (kind, written) = match &draft.part {
            Part::Column(column) => {
                columns.push(draft.name.clone());
                (Kind::Column(columns.len() - 1), Arc::clone(column))
            }
            Part::Group { logical, .. } => {
                let (fields, written) = self.build(place, (rl, dl), columns)?;
                let shape = Shape::of(*logical);
                check_shape(&draft.name, repetition, shape, &fields)?;
                (Kind::Group(shape, fields), written)
            }
        };
        let node = Node {
            name: draft.name.clone(),
            repetition,
            rl,
            dl,
            key: 0,
            kind,
        };
        Ok((node, written))
    }
}

/// A name in small letters, digits and `_`: a capital letter after a small one or a digit begins a new word.
pub fn hive_name(name: &str) -> String {
    let mut written = String::with_capacity(name.len() + 4);
    let mut at_start = true;
    // By the byte, as the public module does it, so that files of both have the same columns.
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' => {
                if !at_start {
                    written.push('_');
                }
                at_start = true;
                written.push(char::from(byte.to_ascii_lowercase()));
            }
            b'a'..=b'z' | b'0'..=b'9' => {
                at_start = false;
                written.push(char::from(byte));
            }
            _ => {
                at_start = true;
                written.push('_');
            }
        }
    }
    written
}

/// How the fields of a group lie in a Lua table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Under their names.
    Record,
    /// Keys and values.
    Map,
    /// An array.
    List,
    /// An array with an item for each field.
    Tuple,
}

impl Shape {
    fn of(logical: Logical) -> Shape {
        match logical {
            Logical::Converted(ConvertedType::MAP) => Shape::Map,
            Logical::Converted(ConvertedType::LIST) => Shape::List,
            Logical::Converted(_) => Shape::Record,
            Logical::Tuple => Shape::Tuple,
        }
    }
}

/// Maps and lists are three levels deep with names of their own.
fn check_shape(
    name: &str,
    repetition: Repetition,
    shape: Shape,
    fields: &[Node],
) -> Result<(), String> {
    let is_map = match shape {
        Shape::Map => true,
        Shape::List => false,
        Shape::Record | Shape::Tuple => return Ok(()),
    };
    let [inner] = fields else {
        return Err(not_single(name));
    };
    if repetition == Repetition::REPEATED {
        return Err(not_single(name));
    }
    let wanted = if is_map { "key_value" } else { "list" };
    let Kind::Group(_, fields) = &inner.kind else {
        return Err(not_inner(&inner.name, wanted));
    };
    if inner.repetition != Repetition::REPEATED || inner.name != wanted {
        return Err(not_inner(&inner.name, wanted));
    }
    let (n, s) = if is_map { (2, "s") } else { (1, "") };
    if fields.len() != n {
        return Err(format!("group '{wanted}' must have {n} field{s}"));
    }
    if is_map {
        let key = &fields[0];
        let is_key = matches!(key.kind, Kind::Column(_)) && key.name == "key";
        if !is_key || key.repetition != Repetition::REQUIRED {
            let name = &key.name;
            return Err(format!(
                "field '{name}' must be a required primitive named 'key'"
            ));
        }
    }
    let (item, wanted) = (&fields[n - 1], if is_map { "value" } else { "element" });
    if item.repetition == Repetition::REPEATED || item.name != wanted {
        let name = &item.name;
        return Err(format!(
            "field '{name}' must be optional or required and named '{wanted}'"
        ));
    }
    Ok(())
}

fn not_single(name: &str) -> String {
    format!("group '{name}' must be required or optional and contain a single group field")
}

fn not_inner(name: &str, wanted: &str) -> String {
    format!("field '{name}' must be a repeated group named '{wanted}'")
}

/// A group or column of a finished schema.
#[derive(Debug)]
pub struct Node {
    /// The name in Lua tables, which the file may write differently.
    pub name: String,
    /// How often it occurs in its group.
    pub repetition: Repetition,
    /// The highest repetition level of its values.
    pub rl: u8,
    /// The definition level when it is there.
    pub dl: u8,
    /// The place of its name among [`Plan::keys`], from 1.
    pub key: i32,
    /// What it is.
    pub kind: Kind,
}

impl Node {
    /// Whether it may occur several times.
    pub fn is_repeated(&self) -> bool {
        self.repetition == Repetition::REPEATED
    }
}

/// What a node is.
#[derive(Debug)]
pub enum Kind {
    /// A column, by its number.
    Column(usize),
    /// A group with its fields.
    Group(Shape, Vec<Node>),
}

/// The numbers that a column takes: `min` to `max`, stored in so many bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub min: i128,
    /// The largest.
    pub max: i128,
}

/// A column of a finished schema.
#[derive(Debug)]
pub struct ColumnPlan {
    /// Its name in Lua tables.
    pub name: String,
    /// How it is stored.
    pub physical: Physical,
    /// Bytes of a value of fixed length.
    pub length: usize,
    /// Definition level of a value.
    pub dl: u8,
    /// Highest repetition level.
    pub rl: u8,
    /// Whether there is a value wherever its group is.
    pub is_required: bool,
    /// Whether readers take its bytes as UTF-8.
    pub is_text: bool,
    /// Which whole numbers it takes.
    pub range: Range,
}

impl ColumnPlan {
    fn new(name: String, described: &ColumnDescPtr) -> ColumnPlan {
        let converted = described.converted_type();
        let is_text = matches!(
            converted,
            ConvertedType::UTF8 | ConvertedType::JSON | ConvertedType::ENUM
        );
        let info = described.self_type().get_basic_info();
        ColumnPlan {
            name,
            physical: described.physical_type(),
            length: usize::try_from(described.type_length()).unwrap_or(0),
            dl: described.max_def_level() as u8,
            rl: described.max_rep_level() as u8,
            is_required: info.repetition() == Repetition::REQUIRED,
            is_text,
            range: range(described.physical_type(), converted),
        }
    }
}

fn range(physical: Physical, converted: ConvertedType) -> Range {
    let signed = |bits: u32| Range {
        min: -(1 << (bits - 1)),
        max: (1 << (bits - 1)) - 1,
    };
    let unsigned = |bits: u32| Range {
        min: 0,
        max: (1 << bits) - 1,
    };
    match converted {
        ConvertedType::INT_8 => signed(8),
        ConvertedType::INT_16 => signed(16),
        ConvertedType::UINT_8 => unsigned(8),
        ConvertedType::UINT_16 => unsigned(16),
        ConvertedType::UINT_32 => unsigned(32),
        ConvertedType::UINT_64 => unsigned(64),
        _ if physical == Physical::INT32 => signed(32),
        _ => signed(64),
    }
}

/// A finished schema.
#[derive(Debug)]
pub struct Plan {
    fields: Vec<Node>,
    columns: Vec<ColumnPlan>,
    keys: Vec<String>,
    descriptor: SchemaDescPtr,
}

impl Plan {
    fn new(mut fields: Vec<Node>, columns: Vec<ColumnPlan>, descriptor: SchemaDescPtr) -> Plan {
        let mut keys = Vec::new();
        number(&mut fields, &mut keys);
        Plan {
            fields,
            columns,
            keys,
            descriptor,
        }
    }

    /// The fields of a row.
    pub fn fields(&self) -> &[Node] {
        &self.fields
    }

    /// All columns, in the order of the file.
    pub fn columns(&self) -> &[ColumnPlan] {
        &self.columns
    }

    /// The names of all nodes; a node says which is its own.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The schema as the format has it.
    pub fn root(&self) -> TypePtr {
        self.descriptor.root_schema_ptr()
    }

    /// The schema as the format has it, by column.
    pub fn descriptor(&self) -> &SchemaDescPtr {
        &self.descriptor
    }
}

/// Gives each node its place among the keys; recursion ends at [`MAX_DEPTH`].
fn number(nodes: &mut [Node], keys: &mut Vec<String>) {
    for node in nodes {
        keys.push(node.name.clone());
        node.key = keys.len() as i32;
        if let Kind::Group(_, fields) = &mut node.kind {
            number(fields, keys);
        }
    }
}

#[cfg(test)]
mod tests;
