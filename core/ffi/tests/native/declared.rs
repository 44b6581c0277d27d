//! What headers and sources declare, as text.

/// One function or method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The type of what it returns.
    pub returns: String,
    /// Type and name of each parameter.
    pub parameters: Vec<(String, String)>,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The interface it extends; empty for IUnknown.
    pub base: String,
    /// Its own methods, in order.
    pub methods: Vec<Function>,
}
