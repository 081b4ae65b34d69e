//! Statistics made of exact totals: sums, means, variances, covariances, regressions.
//!
//! A variance is the difference of two numbers that may have nearly all their digits in common, which is why it is
//! commonly computed by corrections for each value (Welford), whose rounding depends on the order. Here both numbers are
//! whole and so is their difference; what remains is one division, and a square root where there is one. Results are
//! within two units in the last place of the exact ones.
//!
//! Names and NULLs are those of the SQL standard: the first argument is y, the second x.

use super::FloatTotal;
use super::whole::{ScaledDouble, Whole};

/// The exponent of the unit of totals of doubles.
const UNIT: i64 = -1_074;
/// The same of products.
const UNIT_OF_PRODUCTS: i64 = 2 * UNIT;

/// A function of exact totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Statistic {
    Sum,
    Average,
    VarianceSample,
    VariancePopulation,
    DeviationSample,
    DeviationPopulation,
    CovarianceSample,
    CovariancePopulation,
    Correlation,
    Slope,
    Intercept,
    /// The square of the correlation.
    R2,
    AverageX,
    AverageY,
    /// Sums of products of deviations from the mean.
    Sxx,
    Syy,
    Sxy,
}

/// What is totalled of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    Y,
    X,
    Yy,
    Xx,
    Yx,
}

impl Term {
    /// Adds a row's y and x to a total, or takes them away.
    pub(super) fn add(self, total: &mut FloatTotal, y: f64, x: f64, is_taken: bool) {
        match self {
            Self::Y => total.add(y, is_taken),
            Self::X => total.add(x, is_taken),
            Self::Yy => total.add_product(y, y, is_taken),
            Self::Xx => total.add_product(x, x, is_taken),
            Self::Yx => total.add_product(y, x, is_taken),
        }
    }
}

impl Statistic {
    /// What it is made of.
    pub(super) fn terms(self) -> &'static [Term] {
        match self {
            Self::Sum | Self::Average | Self::AverageY => &[Term::Y],
            Self::AverageX => &[Term::X],
            Self::VarianceSample
            | Self::VariancePopulation
            | Self::DeviationSample
            | Self::DeviationPopulation
            | Self::Syy => &[Term::Y, Term::Yy],
            Self::Sxx => &[Term::X, Term::Xx],
            Self::CovarianceSample | Self::CovariancePopulation | Self::Sxy => &[Term::Y, Term::X, Term::Yx],
            Self::Slope | Self::Intercept => &[Term::Y, Term::X, Term::Xx, Term::Yx],
            Self::Correlation | Self::R2 => &[Term::Y, Term::X, Term::Yy, Term::Xx, Term::Yx],
        }
    }

    /// How many rows there must be.
    fn least(self) -> u64 {
        match self {
            Self::VarianceSample
            | Self::DeviationSample
            | Self::CovarianceSample
            | Self::Correlation
            | Self::Slope
            | Self::Intercept
            | Self::R2 => 2,
            _ => 1,
        }
    }

    /// Its value over `count` rows with these totals of its terms; none where it is not defined.
    pub(super) fn value(self, count: i64, totals: &[FloatTotal]) -> Option<f64> {
        let count = u64::try_from(count).ok().filter(|count| *count >= self.least())?;
        match self {
            Self::Sum => Some(totals[0].value()),
            // A count beyond 2^53 is no count of rows.
            Self::Average | Self::AverageX | Self::AverageY => Some(totals[0].value() / count as f64),
            _ if !totals.iter().all(FloatTotal::is_finite) => Some(f64::NAN),
            _ => Some(Sums { terms: self.terms(), totals, count }.of(self)?.value()),
        }
    }
}

/// Finite totals of some rows.
struct Sums<'a> {
    terms: &'static [Term],
    totals: &'a [FloatTotal],
    count: u64,
}

impl Sums<'_> {
    fn of(&self, statistic: Statistic) -> Option<ScaledDouble> {
        let n = u128::from(self.count);
        let of_all = Whole::of(n * n).scaled();
        let of_sample = Whole::of(n * (n - 1)).scaled();
        let over =
            |products: Whole, rows: ScaledDouble| products.scaled().over(rows).in_units(UNIT_OF_PRODUCTS);
        Some(match statistic {
            Statistic::VarianceSample => over(self.syy(), of_sample),
            Statistic::VariancePopulation => over(self.syy(), of_all),
            Statistic::DeviationSample => over(self.syy(), of_sample).sqrt(),
            Statistic::DeviationPopulation => over(self.syy(), of_all).sqrt(),
            Statistic::CovarianceSample => over(self.syx(), of_sample),
            Statistic::CovariancePopulation => over(self.syx(), of_all),
            Statistic::Syy => over(self.syy(), Whole::of(n).scaled()),
            Statistic::Sxx => over(self.sxx(), Whole::of(n).scaled()),
            Statistic::Sxy => over(self.syx(), Whole::of(n).scaled()),
            Statistic::Slope => self.syx().scaled().over(Self::spread(&self.sxx())?),
            Statistic::Intercept => {
                let (sxx, syx) = (self.sxx(), self.syx());
                let rows = Self::spread(&sxx.times(&Whole::of(n)))?;
                let over_all = self.total(Term::Y).times(&sxx).minus(&syx.times(&self.total(Term::X)));
                over_all.scaled().over(rows).in_units(UNIT)
            }
            Statistic::Correlation => {
                let syx = self.syx();
                let correlation = Self::r2(&syx, Self::spread(&self.sxx().times(&self.syy()))?).sqrt();
                if syx.is_negative { correlation.negated() } else { correlation }
            }
            Statistic::R2 => {
                // All of one height lie on their line.
                let sxx = Self::spread(&self.sxx())?;
                match Self::spread(&self.syy()) {
                    Some(_) => Self::r2(&self.syx(), self.sxx().times(&self.syy()).scaled()),
                    None => sxx.over(sxx),
                }
            }
            Statistic::Sum | Statistic::Average | Statistic::AverageX | Statistic::AverageY => return None,
        })
    }

    /// A number to divide by; none if it is zero, where all values are the same.
    fn spread(number: &Whole) -> Option<ScaledDouble> {
        (!number.is_zero()).then(|| number.scaled())
    }

    fn r2(syx: &Whole, both: ScaledDouble) -> ScaledDouble {
        syx.times(syx).scaled().over(both)
    }

    fn total(&self, wanted: Term) -> Whole {
        let place = self.terms.iter().position(|term| *term == wanted);
        place.map(|place| self.totals[place].whole()).unwrap_or_default()
    }

    /// The count times the sum of products of deviations from the mean.
    fn deviations(&self, left: Term, right: Term, products: Term) -> Whole {
        let products = self.total(products).times(&Whole::of(self.count.into()));
        products.minus(&self.total(left).times(&self.total(right)))
    }

    fn syy(&self) -> Whole {
        self.deviations(Term::Y, Term::Y, Term::Yy)
    }

    fn sxx(&self) -> Whole {
        self.deviations(Term::X, Term::X, Term::Xx)
    }

    fn syx(&self) -> Whole {
        self.deviations(Term::Y, Term::X, Term::Yx)
    }
}
