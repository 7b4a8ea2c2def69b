"""What tables of several forms share: the types of a logon, in Microsoft's words."""

from smbrare.sources.mapping import one_of

logon_type = one_of(
    {
        "2": "Interactive",
        "3": "Network",
        "7": "Unlock",
        "8": "NetworkCleartext",
        "9": "NewCredentials",
        "10": "RemoteInteractive",
        "11": "CachedInteractive",
        "12": "CachedRemoteInteractive",
        "13": "CachedUnlock",
        "interactive": "Interactive",
        "network": "Network",
        "networkcleartext": "NetworkCleartext",
        "newcredentials": "NewCredentials",
        "unlock": "Unlock",
        "remoteinteractive": "RemoteInteractive",
        "remote interactive": "RemoteInteractive",
        "cachedinteractive": "CachedInteractive",
        "cached interactive": "CachedInteractive",
        "cachedremoteinteractive": "CachedRemoteInteractive",
        "cachedunlock": "CachedUnlock",
    }
)
"""Services, batches and the system itself log on in other ways, and are no value."""
