//! The defects.

/// What is wrong with a [`PlantedStore`](super::PlantedStore).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bug {
    /// Nothing: it passes the whole suite.
    #[default]
    None,
    /// A row is written without asking whether it is still the one that was read.
    LostUpdate,
    /// Claims are looked up, and taken, outside of the transaction that writes the rest.
    ClaimOutsideTransaction,
    /// What a wallet or a destination allows is looked at outside of the transaction that takes from it.
    LimitOutsideTransaction,
    /// Claims are looked up without the tenant.
    KeyNotScoped,
    /// Histories are looked up without the tenant.
    TenantFilterMissing,
    /// What was asked for under a key is not compared.
    RequestNotCompared,
    /// A replay is answered with how things stand now, not with what was answered before.
    AnswerRecomputed,
    /// An event of a report is written, its row is not.
    EventWithoutRow,
    /// The row of a report is written, its event is not.
    RowWithoutEvent,
    /// A sum that is too large is taken for a small one.
    SumsWrap,
    /// The hash of an event does not cover the one before it.
    HashNotLinked,
    /// What is older than the last event by the clock is taken for stale.
    ClockOrders,
    /// A transaction stays open when its caller goes away.
    TransactionLeftOpen,
    /// Archived payments are listed among the others.
    ArchivedListed,
    /// A page begins behind the key of the one before, not behind its last payment.
    CursorSkipsEqualKeys,
    /// Amounts are sorted by their minor units, whatever the currency.
    AmountsSortedAsMinorUnits,
    /// The total is that of the page.
    TotalOfThePage,
    /// The total is counted later than the page is read.
    TotalCountedLater,
    /// Whoever asks for one gateway payment id gets them all.
    FilterIgnored,
    /// Texts are compared without regard to case.
    CaseIgnored,
    /// Lists have the payments of the tenant's other environments too.
    ListLeaks,
    /// There is always said to be a next page.
    NextPageAlways,
    /// A page of the feed begins with the last event of the one before.
    FeedRepeats,
    /// A page of the feed that is full leaves out the event behind it.
    FeedSkips,
    /// The feed of a scope shows all scopes.
    FeedLeaks,
    /// The feed of a scope stays where its own last event is, so whoever follows it never sleeps.
    FeedStaysBehind,
    /// The place in the feed is taken before the transaction: an event becomes visible only after those behind it.
    FeedOutOfOrder,
    /// The feed is sorted by time.
    FeedByTime,
    /// An unknown position is answered like the end of the feed: with an empty page, and by waiting.
    UnknownPositionAtEnd,
    /// All stores have the same ledger id, so one store accepts the positions of another.
    LedgerIdShared,
    /// Nobody is told of a commit.
    NewsNeverWakes,
    /// Only what is committed while one waits counts as news.
    NewsForgets,
    /// Closing leaves those who wait for news alone.
    NewsSurvivesClosing,
    /// A waker that panics ends the call of whoever it is told by.
    NewsTripsOverWaker,
    /// A waker is kept for each time that its owner looked.
    NewsHoardsWakers,
    /// An update does not ask for the version it was made for.
    UpdateVersionIgnored,
    /// What is due about a payment stays what it was at first.
    DueNotUpdated,
    /// So many payments that are due are taken, and only then sorted.
    DueLimitBeforeOrder,
    /// The row of what is paid is not written.
    DestinationNotWritten,
    /// The row of what is paid is written without asking whether it is still the one that was read.
    DestinationGuardMissing,
    /// Who waits for a person is not asked about.
    AttentionIgnored,
    /// What is paid is shown to the tenant's other environments too.
    DestinationLeaks,
    /// Names are kept by so many characters and no more.
    LongNamesCut,
    /// Two kinds of idempotency keys are kept as one.
    KindsOfKeysMeet,
    /// What a gateway calls a refund and what it calls a void are kept as one kind.
    GatewayNamesMeet,
    /// A movement of a dispute's funds without a name is kept under that of its notification.
    MovementsCountedTwice,
    /// What a dispute gave back is noted, and not counted.
    ReinstatedStaysReserved,
    /// A dispute that was lost stays so, whatever is said of it later.
    LostForEver,
    /// Lists are sorted by the millisecond.
    SortedByMilliseconds,
    /// Lists are asked for by the millisecond.
    FilteredByMilliseconds,
    /// Whoever finds nothing of their own in a stretch of the feed stays where they were.
    FeedStalls,
    /// Of a history only so many events are ever shown.
    HistoryEndsEarly,
    /// The gateway's name of an operation is not taken when it is bound.
    GatewayNameNotTaken,
    /// The gateway's name of a fee or a payout is not taken.
    GatewayEntryNameNotTaken,
    /// When a hold expires, what an unallocated capture took of it is released too.
    ExpiryReleasesCaptured,
    /// What is reported of an operation after an operator resolved it is not written.
    ResolutionHidesReports,
    /// Sending an operation does not check that it is still queued.
    QueuedSentTwice,
    /// A queued operation is not due, so it is never sent.
    QueuedNotDue,
}
