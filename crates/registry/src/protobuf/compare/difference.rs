//! One difference between two schemas.

use crate::Incompatibility;

/// The kinds of differences, as Confluent's `Difference.Type` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::protobuf) enum DifferenceKind {
    PackageChanged,
    MessageAdded,
    MessageRemoved,
    MessageMoved,
    EnumAdded,
    EnumRemoved,
    EnumConstAdded,
    EnumConstChanged,
    EnumConstRemoved,
    FieldAdded,
    FieldRemoved,
    FieldNameChanged,
    FieldKindChanged,
    FieldScalarKindChanged,
    FieldNamedTypeChanged,
    FieldNumericLabelChanged,
    FieldStringOrBytesLabelChanged,
    RequiredFieldAdded,
    RequiredFieldRemoved,
    OneofAdded,
    OneofRemoved,
    OneofFieldAdded,
    OneofFieldRemoved,
    OneofFieldMovedToTopLevel,
    MultipleFieldsMovedToOneof,
    FieldMovedToExistingOneof,
}

impl DifferenceKind {
    /// The name on the wire.
    pub(in crate::protobuf) fn as_str(self) -> &'static str {
        match self {
            Self::PackageChanged => "PACKAGE_CHANGED",
            Self::MessageAdded => "MESSAGE_ADDED",
            Self::MessageRemoved => "MESSAGE_REMOVED",
            Self::MessageMoved => "MESSAGE_MOVED",
            Self::EnumAdded => "ENUM_ADDED",
            Self::EnumRemoved => "ENUM_REMOVED",
            Self::EnumConstAdded => "ENUM_CONST_ADDED",
            Self::EnumConstChanged => "ENUM_CONST_CHANGED",
            Self::EnumConstRemoved => "ENUM_CONST_REMOVED",
            Self::FieldAdded => "FIELD_ADDED",
            Self::FieldRemoved => "FIELD_REMOVED",
            Self::FieldNameChanged => "FIELD_NAME_CHANGED",
            Self::FieldKindChanged => "FIELD_KIND_CHANGED",
            Self::FieldScalarKindChanged => "FIELD_SCALAR_KIND_CHANGED",
            Self::FieldNamedTypeChanged => "FIELD_NAMED_TYPE_CHANGED",
            Self::FieldNumericLabelChanged => "FIELD_NUMERIC_LABEL_CHANGED",
            Self::FieldStringOrBytesLabelChanged => "FIELD_STRING_OR_BYTES_LABEL_CHANGED",
            Self::RequiredFieldAdded => "REQUIRED_FIELD_ADDED",
            Self::RequiredFieldRemoved => "REQUIRED_FIELD_REMOVED",
            Self::OneofAdded => "ONEOF_ADDED",
            Self::OneofRemoved => "ONEOF_REMOVED",
            Self::OneofFieldAdded => "ONEOF_FIELD_ADDED",
            Self::OneofFieldRemoved => "ONEOF_FIELD_REMOVED",
            Self::OneofFieldMovedToTopLevel => "ONEOF_FIELD_MOVED_TO_TOP_LEVEL",
            Self::MultipleFieldsMovedToOneof => "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
            Self::FieldMovedToExistingOneof => "FIELD_MOVED_TO_EXISTING_ONEOF",
        }
    }

    /// Whether it is in Confluent's `COMPATIBLE_CHANGES`.
    pub(in crate::protobuf) fn is_compatible(self) -> bool {
        matches!(
            self,
            Self::MessageAdded
                | Self::MessageMoved
                | Self::EnumAdded
                | Self::EnumRemoved
                | Self::EnumConstAdded
                | Self::EnumConstChanged
                | Self::EnumConstRemoved
                | Self::FieldAdded
                | Self::FieldRemoved
                | Self::FieldNameChanged
                | Self::FieldStringOrBytesLabelChanged
                | Self::OneofAdded
                | Self::OneofRemoved
                | Self::OneofFieldAdded
                | Self::OneofFieldMovedToTopLevel
        )
    }
}

/// A difference and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::protobuf) struct Difference {
    pub(in crate::protobuf) kind: DifferenceKind,
    /// `#/Order/2`
    pub(in crate::protobuf) path: String,
    pub(in crate::protobuf) message: String,
}

impl Difference {
    pub(super) fn into_incompatibility(self) -> Incompatibility {
        Incompatibility { kind: self.kind.as_str(), path: self.path, message: self.message, detail: None }
    }
}
