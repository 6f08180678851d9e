"""ds_core and its drivers: what the stanzas `datasource` and `ds_ldap` say, for `data/sources`."""

from collections.abc import Callable
from typing import Final

from angarium.config.resolve import Configuration
from angarium.data.source import Settings
from angarium.data.uri import URLS, Uri, parse
from angarium.modules.auth.options import DatasourceOptions, DsLdap
from angarium.modules.auth.securecreds import passwords

_IDLE_SECONDS: Final = 60.0


def settings_of(configuration: Configuration) -> list[Settings]:
    """Return the datasources of a configuration. Raises Error where a password is missing."""
    directories, password = configuration.top(DsLdap), passwords(configuration)
    return [
        _settings(name, options, directories, password)
        for name, options in configuration.instances(DatasourceOptions)
        if options.uri
    ]


def _settings(
    name: str,
    options: DatasourceOptions,
    directories: DsLdap,
    password: Callable[[Uri], str],
) -> Settings:
    idle, idle_seconds = options.connections, _IDLE_SECONDS
    if parse(options.uri[0]).kind in URLS:
        if directories.connection_cache_size is not None:
            idle = min(idle, directories.connection_cache_size)
        if directories.connection_cache_life is not None:
            idle_seconds = directories.connection_cache_life
    life = options.negative_life
    return Settings(
        name=name,
        uris=options.uri,
        passwords=tuple(password(parse(each)) for each in options.uri),
        cache_life=options.cache_life,
        negative_life=options.cache_life if life is None else life,
        cache_size=options.cache_size,
        cache_octets=options.cache_octets,
        max_rows=options.max_rows,
        no_cache=options.no_cache,
        charset=options.assume_charset,
        query_seconds=options.query_timeout,
        connect_seconds=options.connect_timeout,
        connections=options.connections,
        idle=idle,
        idle_seconds=idle_seconds,
    )
