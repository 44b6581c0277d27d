//! The metadata, by name.

use std::collections::{BTreeMap, BTreeSet};
use windows_metadata::reader::{File, HasAttributes, Index, Item, TypeCategory, TypeDef};
use windows_metadata::{Type, Value};

/// The metadata of Windows.
pub struct System {
    types: BTreeMap<&'static str, TypeDef<'static>>,
    functions: BTreeMap<&'static str, windows_metadata::reader::MethodDef<'static>>,
    constants: BTreeMap<&'static str, i64>,
    ids: BTreeMap<&'static str, String>,
}

/// A function or method.
pub struct Function {
    pub name: String,
    pub returns: Type,
    pub parameters: Vec<Type>,
}

/// An interface.
pub struct Interface {
    pub id: String,
    pub base: String,
    pub methods: Vec<Function>,
}

/// The id in the attributes of an item.
fn id_of(item: &impl HasAttributes<'static>) -> Option<String> {
    let attribute = item.find_attribute("GuidAttribute")?;
    let parts: Vec<u64> = attribute
        .value()
        .iter()
        .map(|(_, value)| match value {
            Value::U32(part) => u64::from(*part),
            Value::U16(part) => u64::from(*part),
            Value::U8(part) => u64::from(*part),
            other => panic!("a part of an id is no number: {other:?}"),
        })
        .collect();
    let tail: String = parts[5..].iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{:08x}-{:04x}-{:04x}-{:02x}{:02x}-{tail}", parts[0], parts[1], parts[2], parts[3], parts[4]))
}

fn number(value: &Value) -> Option<i64> {
    Some(match value {
        Value::I8(value) => i64::from(*value),
        Value::U8(value) => i64::from(*value),
        Value::I16(value) => i64::from(*value),
        Value::U16(value) => i64::from(*value),
        Value::I32(value) => i64::from(*value),
        Value::U32(value) => i64::from(*value),
        Value::I64(value) => *value,
        _ => return None,
    })
}

impl System {
    /// Reads it all, for a machine with 64 bits.
    pub fn read() -> Self {
        let file = File::new(windows_default::WIN32.to_vec()).expect("the metadata is well-formed");
        let index = Index::new_for_architecture(vec![file], 2).leak();
        let mut system = Self {
            types: BTreeMap::new(),
            functions: BTreeMap::new(),
            constants: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        for (_, name, item) in index.iter_items() {
            match item {
                Item::Type(ty) => {
                    for field in ty.fields() {
                        if let Some(value) = field.constant().and_then(|constant| number(&constant.value())) {
                            system.constants.insert(field.name(), value);
                        }
                    }
                    system.ids.extend(id_of(&ty).map(|id| (name, id)));
                    system.types.insert(name, ty);
                }
                Item::Fn(function) => drop(system.functions.insert(name, function)),
                Item::Const(field) => {
                    system.ids.extend(id_of(&field).map(|id| (name, id)));
                    if let Some(value) = field.constant().and_then(|constant| number(&constant.value())) {
                        system.constants.insert(name, value);
                    }
                }
            }
        }
        assert!(index.namespaces().collect::<BTreeSet<_>>().contains("Windows.Win32"));
        system
    }

    /// The value of a constant or of an enumeration's member.
    pub fn constant(&self, name: &str) -> Option<i64> {
        self.constants.get(name).copied()
    }

    /// The id of a constant, or of the class that it is named after.
    pub fn id(&self, name: &str) -> Option<String> {
        let found = self.ids.get(name).or_else(|| self.ids.get(name.strip_prefix("CLSID_")?));
        found.cloned()
    }

    /// A function.
    pub fn function(&self, name: &str) -> Option<Function> {
        self.functions.get(name).map(function)
    }

    /// The library that has a function, without the extension.
    pub fn library(&self, name: &str) -> Option<String> {
        let module = self.functions.get(name)?.impl_map()?.import_scope().name().to_lowercase();
        Some(module.strip_suffix(".dll").map_or(module.clone(), str::to_owned))
    }

    /// An interface.
    pub fn interface(&self, name: &str) -> Option<Interface> {
        let ty = self.types.get(name).filter(|ty| ty.category() == TypeCategory::Interface)?;
        let bases: Vec<_> = ty.interface_impls().map(|base| base.interface(&[])).collect();
        let base = match bases.as_slice() {
            [Type::ClassName(base)] => base.name.clone(),
            [] => String::new(),
            other => panic!("{name} has the bases {other:?}"),
        };
        let methods = ty.methods().map(|method| function(&method)).collect();
        Some(Interface { id: id_of(ty).unwrap_or_default(), base, methods })
    }

    /// What a type is in memory, in the words of `shape.rs`.
    pub fn shape(&self, ty: &Type) -> String {
        let pointer = |inside: &Type, depth: usize| format!("{}{}", "*".repeat(depth), self.shape(inside));
        match ty {
            Type::Void => "void".to_owned(),
            Type::I8 | Type::U8 => "8".to_owned(),
            Type::I16 | Type::U16 | Type::Char => "16".to_owned(),
            Type::I32 | Type::U32 => "32".to_owned(),
            Type::I64 | Type::U64 => "64".to_owned(),
            Type::ISize | Type::USize => "word".to_owned(),
            Type::F64 => "f64".to_owned(),
            Type::PtrMut(inside, depth) | Type::PtrConst(inside, depth) => pointer(inside, *depth),
            Type::RefMut(inside) | Type::RefConst(inside) => pointer(inside, 1),
            Type::ClassName(name) if name.name != "IUnknown" && self.is_function(&name.name) => "function".to_owned(),
            Type::ClassName(_) => "*void".to_owned(),
            Type::ValueName(name) => self.value(&name.name),
            other => format!("{other:?}"),
        }
    }

    fn is_function(&self, name: &str) -> bool {
        self.types.get(name).is_some_and(|ty| ty.category() == TypeCategory::Delegate)
    }

    /// A type with one field and no other purpose is what its field is; an enumeration is its numbers.
    fn value(&self, name: &str) -> String {
        let Some(ty) = self.types.get(name) else { return name.to_owned() };
        if let Some(underlying) = ty.underlying_type() {
            return self.shape(&underlying);
        }
        let mut fields = ty.fields();
        match (ty.find_attribute("NativeTypedefAttribute"), fields.next()) {
            (Some(_), Some(field)) => self.shape(&field.ty()),
            _ if ty.category() == TypeCategory::Delegate => "function".to_owned(),
            _ => name.to_owned(),
        }
    }
}

fn function(method: &windows_metadata::reader::MethodDef<'static>) -> Function {
    let signature = method.signature(&[]);
    Function { name: method.name().to_owned(), returns: signature.return_type, parameters: signature.types }
}
