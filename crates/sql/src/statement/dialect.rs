//! The grammar of statements: the parser's permissive one, with PostgreSQL's precedence of operators.
//!
//! ```text
//!   .   ::   unary + -   AT TIME ZONE   ^   * / %   + -   || ~ & | << >> -> and every other operator
//!   BETWEEN IN LIKE ILIKE SIMILAR   < > = <= >= <>   IS   NOT   AND   OR
//! ```
//!
//! The table is that of PostgreSQL's manual, chapter 4.1.6. `IS [NOT] DISTINCT FROM` is read here too: the parser
//! (sqlparser 0.62) takes everything behind it for its right side, `AND` and `OR` included.
//!
//! Invariant: an expression means what PostgreSQL takes it for, or is refused; the property test of this module
//! compares random expressions with their fully parenthesised form.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

/// Every other operator, as PostgreSQL's manual calls them.
const OTHER: u8 = 70;

/// A sign before its operand.
const SIGN: u8 = 120;

/// How statements are read.
#[derive(Debug)]
pub(crate) struct FactumDialect;

/// Whatever the permissive dialect allows.
macro_rules! allowances {
    ($($allowance:ident)*) => {
        $(fn $allowance(&self) -> bool { GenericDialect.$allowance() })*
    };
}

impl Dialect for FactumDialect {
    fn dialect(&self) -> TypeId {
        GenericDialect.dialect()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        GenericDialect.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        GenericDialect.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        GenericDialect.is_identifier_part(ch)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        match precedence {
            Precedence::Period => 200,
            Precedence::DoubleColon => 140,
            Precedence::AtTz => 110,
            Precedence::Caret => 100,
            Precedence::MulDivModOp => 90,
            Precedence::PlusMinus => 80,
            Precedence::Xor
            | Precedence::Ampersand
            | Precedence::Pipe
            | Precedence::Colon
            | Precedence::PgOther => OTHER,
            Precedence::Between | Precedence::Like => 60,
            Precedence::Eq => 50,
            Precedence::Is => 40,
            Precedence::UnaryNot => 30,
            Precedence::And => 20,
            Precedence::Or => 10,
        }
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let is_other = matches!(
            parser.peek_token_ref().token,
            Token::StringConcat
                | Token::Sharp
                | Token::ShiftLeft
                | Token::ShiftRight
                | Token::Overlap
                | Token::CaretAt
                | Token::Tilde
                | Token::TildeAsterisk
                | Token::ExclamationMarkTilde
                | Token::ExclamationMarkTildeAsterisk
                | Token::DoubleTilde
                | Token::DoubleTildeAsterisk
                | Token::ExclamationMarkDoubleTilde
                | Token::ExclamationMarkDoubleTildeAsterisk
        );
        is_other.then_some(Ok(OTHER))
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let op = match parser.peek_token_ref().token {
            Token::Minus => UnaryOperator::Minus,
            Token::Plus => UnaryOperator::Plus,
            _ => return None,
        };
        parser.advance_token();
        // The parser's own lets AT TIME ZONE go first.
        let operand = parser.parse_subexpr(SIGN);
        Some(operand.map(|expr| Expr::UnaryOp { op, expr: Box::new(expr) }))
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, _: u8) -> Option<Result<Expr, ParserError>> {
        if let Err(error) = unchained(parser, left) {
            return Some(Err(error));
        }
        let is_negated = if parser.parse_keywords(&[Keyword::IS, Keyword::DISTINCT, Keyword::FROM]) {
            false
        } else if parser.parse_keywords(&[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM]) {
            true
        } else {
            return None;
        };
        let right = parser.parse_subexpr(self.prec_value(Precedence::Is));
        Some(right.map(|right| {
            let (left, right) = (Box::new(left.clone()), Box::new(right));
            if is_negated { Expr::IsNotDistinctFrom(left, right) } else { Expr::IsDistinctFrom(left, right) }
        }))
    }

    allowances! {
        supports_unicode_string_literal
        supports_partition_by_after_order_by
        supports_array_join_syntax
        supports_group_by_expr
        supports_group_by_with_modifier
        supports_left_associative_joins_without_parens
        supports_connect_by
        supports_match_recognize
        supports_pipe_operator
        supports_start_transaction_modifier
        supports_window_function_null_treatment_arg
        supports_dictionary_syntax
        supports_window_clause_named_window_reference
        supports_parenthesized_set_variables
        supports_select_wildcard_except
        support_map_literal_syntax
        allow_extract_custom
        allow_extract_single_quotes
        supports_extract_comma_syntax
        supports_create_view_comment_syntax
        supports_parens_around_table_factor
        supports_values_as_table_factor
        supports_create_index_with_clause
        supports_explain_with_utility_options
        supports_limit_comma
        supports_update_order_by
        supports_from_first_select
        supports_projection_trailing_commas
        supports_asc_desc_in_column_definition
        supports_try_convert
        supports_bitwise_shift_operators
        supports_comment_on
        supports_load_extension
        supports_named_fn_args_with_assignment_operator
        supports_struct_literal
        supports_empty_projections
        supports_nested_comments
        supports_multiline_comment_hints
        supports_user_host_grantee
        supports_string_escape_constant
        supports_array_typedef_with_brackets
        supports_match_against
        supports_set_names
        supports_comma_separated_set_assignments
        supports_filter_during_aggregation
        supports_select_wildcard_exclude
        supports_data_type_signed_suffix
        supports_interval_options
        supports_quote_delimited_string
        supports_select_wildcard_replace
        supports_select_wildcard_ilike
        supports_select_wildcard_rename
        supports_optimize_table
        supports_install
        supports_detach
        supports_prewhere
        supports_with_fill
        supports_limit_by
        supports_interpolate
        supports_settings
        supports_select_format
        supports_comment_optimizer_hint
        supports_constraint_keyword_without_name
        supports_key_column_option
        supports_comma_separated_trim
        supports_cte_without_as
        supports_select_item_multi_column_alias
        supports_xml_expressions
    }
}

/// Refuses `a = b = c` and `a LIKE b LIKE c`, which have no meaning in PostgreSQL, and another to each reader.
fn unchained(parser: &Parser<'_>, left: &Expr) -> Result<(), ParserError> {
    let next = parser.peek_token_ref();
    let chains = match &next.token {
        Token::Eq
        | Token::DoubleEq
        | Token::Neq
        | Token::Lt
        | Token::LtEq
        | Token::Gt
        | Token::GtEq
        | Token::Spaceship => is_comparison(left),
        Token::Word(word) => {
            let keyword = match word.keyword {
                Keyword::NOT => match &parser.peek_nth_token_ref(1).token {
                    Token::Word(word) => word.keyword,
                    _ => return Ok(()),
                },
                keyword => keyword,
            };
            matches!(
                keyword,
                Keyword::IN | Keyword::BETWEEN | Keyword::LIKE | Keyword::ILIKE | Keyword::SIMILAR
            ) && is_like(left)
        }
        _ => false,
    };
    if !chains {
        return Ok(());
    }
    let (token, place) = (&next.token, next.span.start);
    let message =
        format!("`{token}` does not chain: put one of the comparisons in parentheses, or join them by AND");
    Err(ParserError::ParserError(format!("{message}{place}")))
}

fn is_comparison(expr: &Expr) -> bool {
    let Expr::BinaryOp { op, .. } = expr else { return false };
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::Spaceship
    )
}

fn is_like(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::InList { .. }
            | Expr::InSubquery { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::ILike { .. }
            | Expr::SimilarTo { .. }
    )
}

#[cfg(test)]
mod tests;
