//! ISO 4217 currencies and the size of their minor units.

use std::fmt::{self, Debug, Display, Formatter, Write};
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Turns the table below into the enum and the look-ups that must agree with it.
macro_rules! currencies {
    ($($code:ident $exponent:literal,)*) => {
        /// A current ISO 4217 currency or funds code.
        ///
        /// Read in any case, written in lower case. Ordered by code. Codes that have no minor unit, such as gold
        /// (`XAU`) or "no currency" (`XXX`), are no currencies here.
        ///
        /// ```
        /// use counterfoil::money::Currency;
        ///
        /// let yen: Currency = "jpy".parse()?;
        /// assert_eq!(yen, Currency::JPY);
        /// assert_eq!((yen.code(), yen.exponent()), ("JPY", 0));
        /// assert_eq!(yen.to_string(), "jpy");
        /// assert!("XAU".parse::<Currency>().is_err());
        /// # Ok::<(), counterfoil::money::UnknownCurrency>(())
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Currency {
            $(
                #[doc = concat!("`", stringify!($code), "`, exponent ", $exponent, ".")]
                $code,
            )*
        }

        /// Every currency, sorted by code.
        const ALL: &[Currency] = &[$(Currency::$code),*];

        impl Currency {
            /// The three letters, in upper case.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$code => stringify!($code),)*
                }
            }

            /// How many decimal places the minor unit is: 2 for cents, 0 where there is none smaller.
            #[must_use]
            pub const fn exponent(self) -> u32 {
                match self {
                    $(Self::$code => $exponent,)*
                }
            }

            /// How many minor units make one whole unit: 10 to the power of the exponent.
            pub(super) const fn minor_per_unit(self) -> i64 {
                match self {
                    $(Self::$code => const { 10_i64.pow($exponent) },)*
                }
            }
        }
    };
}

// ISO 4217 list one (currencies and funds), by first letter.
//
// Left out: the codes whose minor unit is "N.A.", for which no amount would be too fine: XAG, XAU, XBA, XBB, XBC,
// XBD, XDR, XPD, XPT, XSU, XTS, XUA, XXX. Also the codes retired before this table was made: ANG, BGN, CUC, HRK,
// SLL, ZWL and older ones. VED and VES are both current.
//
// A code that is retired later stays: payments that were stored with it must remain readable and refundable. An
// exponent never changes for the same reason.
currencies! {
    AED 2, AFN 2, ALL 2, AMD 2, AOA 2, ARS 2, AUD 2, AWG 2, AZN 2,
    BAM 2, BBD 2, BDT 2, BHD 3, BIF 0, BMD 2, BND 2, BOB 2, BOV 2, BRL 2, BSD 2, BTN 2, BWP 2, BYN 2, BZD 2,
    CAD 2, CDF 2, CHE 2, CHF 2, CHW 2, CLF 4, CLP 0, CNY 2, COP 2, COU 2, CRC 2, CUP 2, CVE 2, CZK 2,
    DJF 0, DKK 2, DOP 2, DZD 2,
    EGP 2, ERN 2, ETB 2, EUR 2,
    FJD 2, FKP 2,
    GBP 2, GEL 2, GHS 2, GIP 2, GMD 2, GNF 0, GTQ 2, GYD 2,
    HKD 2, HNL 2, HTG 2, HUF 2,
    IDR 2, ILS 2, INR 2, IQD 3, IRR 2, ISK 0,
    JMD 2, JOD 3, JPY 0,
    KES 2, KGS 2, KHR 2, KMF 0, KPW 2, KRW 0, KWD 3, KYD 2, KZT 2,
    LAK 2, LBP 2, LKR 2, LRD 2, LSL 2, LYD 3,
    MAD 2, MDL 2, MGA 2, MKD 2, MMK 2, MNT 2, MOP 2, MRU 2, MUR 2, MVR 2, MWK 2, MXN 2, MXV 2, MYR 2, MZN 2,
    NAD 2, NGN 2, NIO 2, NOK 2, NPR 2, NZD 2,
    OMR 3,
    PAB 2, PEN 2, PGK 2, PHP 2, PKR 2, PLN 2, PYG 0,
    QAR 2,
    RON 2, RSD 2, RUB 2, RWF 0,
    SAR 2, SBD 2, SCR 2, SDG 2, SEK 2, SGD 2, SHP 2, SLE 2, SOS 2, SRD 2, SSP 2, STN 2, SVC 2, SYP 2, SZL 2,
    THB 2, TJS 2, TMT 2, TND 3, TOP 2, TRY 2, TTD 2, TWD 2, TZS 2,
    UAH 2, UGX 0, USD 2, USN 2, UYI 0, UYU 2, UYW 4, UZS 2,
    VED 2, VES 2, VND 0, VUV 0,
    WST 2,
    XAD 2, XAF 0, XCD 2, XCG 2, XOF 0, XPF 0,
    YER 2,
    ZAR 2, ZMW 2, ZWG 2,
}

impl Currency {
    /// Every currency, in the order of their codes.
    #[must_use]
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        ALL.iter().copied()
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let upper = |byte: &u8| byte.to_ascii_uppercase();
        ALL.binary_search_by(|currency| currency.code().bytes().cmp(text.as_bytes().iter().map(upper)))
            .ok()
            .and_then(|at| ALL.get(at).copied())
            .ok_or_else(|| UnknownCurrency::new(text))
    }
}

impl Display for Currency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.code().chars().try_for_each(|letter| f.write_char(letter.to_ascii_lowercase()))
    }
}

impl Debug for Currency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({})", self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Code;

        impl Visitor<'_> for Code {
            type Value = Currency;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO 4217 currency code")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Currency, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Code)
    }
}

/// A text that is no current ISO 4217 currency code with a minor unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown currency {input:?}")]
pub struct UnknownCurrency {
    input: String,
}

impl UnknownCurrency {
    /// More of the input than this would tell nobody more, and it may come from a stranger.
    const SHOWN: usize = 12;

    fn new(input: &str) -> Self {
        let mut shown: String = input.chars().take(Self::SHOWN).collect();
        if shown.len() < input.len() {
            shown.push('…');
        }
        Self { input: shown }
    }

    /// What was given, cut to a few characters.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }
}
