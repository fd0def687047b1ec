//! One word for one thing: a closed set of words with fixed names and fixed numbers.

/// Declares an enum whose variants have one name (in JSON, SQL and drawings) and one number (in the bytes).
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)+
        }

        impl $name {
            /// Every one of them, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// Its one name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The one with this name, to the letter.
            #[must_use]
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl $crate::codec::Encode for $name {
            fn encode(&self, to: &mut $crate::codec::Writer) {
                to.byte(*self as u8);
            }

            fn decode(from: &mut $crate::codec::Reader<'_>) -> Result<$name, $crate::codec::Damage> {
                match from.byte()? {
                    $($number => Ok($name::$variant),)+
                    number => Err($crate::codec::Damage::Newer { what: $what, number: number.into() }),
                }
            }
        }
    };
}
pub(crate) use words;
