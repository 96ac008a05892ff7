//! What one row of the list of settings says.

/// Whom a setting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One process: read at its start from file, environment and command line.
    Node,
    /// The whole cluster: stored by the controller.
    Cluster,
    /// A topic. Where [`Setting::broker_name`] is set, the cluster has a default for it under that name.
    Topic,
    /// A group. Where [`Setting::broker_name`] is set, the cluster has a default for it under that name.
    Group,
}

/// Kafka's types of settings, with the numbers DescribeConfigs uses. Source: KIP-569.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ValueType {
    /// `true` or `false`, in any case.
    Boolean = 1,
    /// Text.
    String = 2,
    /// 32 bits, signed.
    Int = 3,
    /// 16 bits, signed.
    Short = 4,
    /// 64 bits, signed.
    Long = 5,
    /// A finite decimal number.
    Double = 6,
    /// Words separated by commas; spaces around them don't count.
    List = 7,
    /// A name of a class: text that means nothing to us.
    Class = 8,
    /// Text that is never shown.
    Password = 9,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Not a quantity.
    None,
    /// Milliseconds.
    Milliseconds,
    /// Minutes.
    Minutes,
    /// Bytes.
    Bytes,
    /// Pieces.
    Count,
    /// A share, 0 to 1.
    Ratio,
}

/// Which values of the type are legal. Both ends are inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// All of the type.
    Any,
    /// At least this.
    AtLeast(i64),
    /// From the first to the second.
    Between(i64, i64),
    /// The first value, or from the second to the third.
    OneOrBetween(i64, i64, i64),
    /// A decimal number from 0 to 1.
    Fraction,
    /// One of these words; a list holds only these words.
    OneOf(&'static [&'static str]),
    /// `*`, or pairs `partition:broker`. Source: KIP-73.
    ThrottledReplicas,
}

/// What setting it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The broker acts on it.
    Honoured,
    /// Stored and reported. Ignoring it can't lose or expose data.
    Accepted,
    /// Known, but its effect isn't built: every value but the default is refused with this reason.
    Refused(&'static str),
    /// Reported only: it says how this node runs and can't be altered.
    Described,
}

/// Another name for a setting at broker level. A value under it is multiplied by `times / per` (rounded up; negative
/// values, which mean "no limit", stay).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The other name.
    pub name: &'static str,
    /// Numerator.
    pub times: i64,
    /// Denominator, not 0.
    pub per: i64,
}

/// The same value under another name.
pub(super) const fn same(name: &'static str) -> Alias {
    Alias { name, times: 1, per: 1 }
}

/// A value in another unit under another name.
pub(super) const fn scaled(name: &'static str, times: i64, per: i64) -> Alias {
    Alias { name, times, per }
}

/// One declared setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Kafka's name where Kafka has the setting, else ours. A name that ends in `*` stands for all names that start so.
    pub name: &'static str,
    /// Whom it belongs to.
    pub kind: Kind,
    /// Its type.
    pub value_type: ValueType,
    /// What its number counts.
    pub unit: Unit,
    /// The built-in value in its canonical text; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// Which values are legal.
    pub bounds: Bounds,
    /// Whether a change acts only after a restart.
    pub restart: bool,
    /// Whether the value is never shown.
    pub sensitive: bool,
    /// For topics and groups: the cluster's name of the default.
    pub broker_name: Option<&'static str>,
    /// Other names at broker level: Kafka's other units, Redpanda's name, and ours for node settings.
    pub aliases: &'static [Alias],
    /// What setting it does.
    pub effect: Effect,
    /// Whether it is described when nobody set it. Names that only other brokers know aren't.
    pub listed: bool,
    /// One sentence for the user.
    pub doc: &'static str,
}

impl Setting {
    const fn new(kind: Kind, name: &'static str, value_type: ValueType, default: &'static str) -> Setting {
        Setting {
            name,
            kind,
            value_type,
            unit: Unit::None,
            default: Some(default),
            bounds: Bounds::Any,
            restart: matches!(kind, Kind::Node),
            sensitive: matches!(value_type, ValueType::Password),
            broker_name: None,
            aliases: &[],
            effect: Effect::Accepted,
            listed: true,
            doc: "",
        }
    }

    pub(super) const fn topic(name: &'static str, value_type: ValueType, default: &'static str) -> Setting {
        Setting::new(Kind::Topic, name, value_type, default)
    }

    pub(super) const fn cluster(name: &'static str, value_type: ValueType, default: &'static str) -> Setting {
        Setting::new(Kind::Cluster, name, value_type, default)
    }

    pub(super) const fn node(name: &'static str, value_type: ValueType, default: &'static str) -> Setting {
        Setting::new(Kind::Node, name, value_type, default)
    }

    pub(super) const fn group(name: &'static str, value_type: ValueType, default: &'static str) -> Setting {
        Setting::new(Kind::Group, name, value_type, default)
    }

    /// A name that only older Kafka or Redpanda clusters report: stored, and reported back once it was set.
    pub(super) const fn foreign(name: &'static str) -> Setting {
        Setting::new(Kind::Topic, name, ValueType::String, "").null().unlisted()
    }

    pub(super) const fn unit(mut self, unit: Unit) -> Setting {
        self.unit = unit;
        self
    }

    pub(super) const fn bounds(mut self, bounds: Bounds) -> Setting {
        self.bounds = bounds;
        self
    }

    pub(super) const fn null(mut self) -> Setting {
        self.default = None;
        self
    }

    pub(super) const fn unlisted(mut self) -> Setting {
        self.listed = false;
        self
    }

    pub(super) const fn restart(mut self) -> Setting {
        self.restart = true;
        self
    }

    pub(super) const fn broker(mut self, name: &'static str, aliases: &'static [Alias]) -> Setting {
        self.broker_name = Some(name);
        self.aliases = aliases;
        self
    }

    pub(super) const fn aliases(mut self, aliases: &'static [Alias]) -> Setting {
        self.aliases = aliases;
        self
    }

    pub(super) const fn honoured(mut self) -> Setting {
        self.effect = Effect::Honoured;
        self
    }

    pub(super) const fn refused(mut self, why: &'static str) -> Setting {
        self.effect = Effect::Refused(why);
        self
    }

    pub(super) const fn described(mut self) -> Setting {
        self.effect = Effect::Described;
        self
    }

    pub(super) const fn doc(mut self, doc: &'static str) -> Setting {
        self.doc = doc;
        self
    }

    /// The name at broker level: the cluster's name for a topic's or group's default, else the name itself. `None` when
    /// a topic or group setting has no default that can be set.
    pub fn name_at_broker(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Node | Kind::Cluster => Some(self.name),
            Kind::Topic | Kind::Group => self.broker_name,
        }
    }

    /// Whether its name stands for all names that start so.
    pub fn is_family(&self) -> bool {
        self.name.ends_with('*')
    }

    /// Whether AlterConfigs refuses it.
    pub fn is_read_only(&self) -> bool {
        self.kind == Kind::Node || self.effect == Effect::Described
    }
}
