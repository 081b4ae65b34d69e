//! Request bodies: each has an example, which the server shows where it cannot read one.

use serde::de::DeserializeOwned;

/// The body of a request, as JSON.
pub trait RequestBody: DeserializeOwned {
    /// A body that can be read; errors show it.
    const EXAMPLE: &'static str;
}

#[cfg(test)]
mod tests {
    use super::RequestBody;
    use crate::access::{AclList, NewPassword, NewUser};
    use crate::groups::ResetOffsets;
    use crate::records::ResendRecord;
    use crate::schema_groups::NewSchemaGroup;
    use crate::sql::SqlRequest;
    use crate::topics::{AlterTopic, CreateTopic};

    fn example_of<T: RequestBody>() {
        let read: Result<T, _> = serde_json::from_str(T::EXAMPLE);
        assert!(read.is_ok(), "{}", T::EXAMPLE);
    }

    #[test]
    fn examples_can_be_read() {
        example_of::<NewUser>();
        example_of::<NewPassword>();
        example_of::<AclList>();
        example_of::<ResetOffsets>();
        example_of::<ResendRecord>();
        example_of::<NewSchemaGroup>();
        example_of::<SqlRequest>();
        example_of::<CreateTopic>();
        example_of::<AlterTopic>();
    }
}
