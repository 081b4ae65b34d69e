//! Shim.
use crate::{CompatibilityPolicy, Incompatibility, InvalidSchema, ReferencedSchema};
/// S
#[derive(Debug)]
pub struct Schema(String);
impl Schema {
    /// p
    pub fn parse(text: &str, _r: &[ReferencedSchema]) -> Result<Self, InvalidSchema> {
        Ok(Self(text.to_owned()))
    }
    /// c
    pub fn canonical(&self) -> String {
        self.0.clone()
    }
    /// c
    pub fn normalized(&self) -> String {
        self.0.clone()
    }
    /// c
    pub fn incompatibilities(_: &Self, _: &Self) -> Vec<Incompatibility> {
        Vec::new()
    }
    /// c
    pub fn incompatibilities_with(_: &Self, _: &Self, _: CompatibilityPolicy) -> Vec<Incompatibility> {
        Vec::new()
    }
}
