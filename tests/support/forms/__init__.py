"""Every form of every source, written by us.

``python -m tests.support.forms`` rewrites the fixtures.

A form is a function from a connection to the record that an exporter would write of it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tests.support.forms import collectors, ecs, events, vendors, windows
from tests.support.forms.connection import SCENE, Connection

Form: TypeAlias = Callable[[Connection], dict[str, Any]]
Wrapper: TypeAlias = Callable[[events.Event], dict[str, Any]]

FOLDER = Path(__file__).parents[3] / "fixtures" / "sources"

_SYSMON_WRAPPERS: Mapping[str, Wrapper] = {
    "winlogbeat-6": windows.winlogbeat_6,
    "winlogbeat-7": windows.winlogbeat_7,
    "winlogbeat-8": windows.winlogbeat_8,
    "winlogbeat-fields": windows.winlogbeat_fields,
    "sysmon-agent": windows.agent,
    "sysmon-agent-xml": windows.agent_xml,
    "sysmon-azure-json": windows.azure_json,
    "sysmon-azure-list": windows.azure_list,
    "sysmon-azure-list-text": windows.azure_list_text,
    "sysmon-azure-xml": windows.azure_xml,
    "sysmon-evtx_dump": windows.evtx_dump,
    "sysmon-evtx_dump-separate": windows.evtx_dump_separate,
    "sysmon-evtxecmd": windows.evtxecmd,
    "sysmon-flat-timecreated": windows.flat_time_created,
    "sysmon-nxlog": windows.nxlog,
    "sysmon-nxlog-lost-key": windows.nxlog_lost_key,
    "sysmon-powershell": windows.powershell,
    "sysmon-powershell-depth3": windows.powershell_deep,
    "sysmon-velociraptor": windows.velociraptor,
    "sysmon-velociraptor-hunter": windows.velociraptor_hunter,
    "sysmon-xml-as-json": windows.xml_as_json,
    "sysmon-wazuh": collectors.wazuh,
    "sysmon-fluent-bit": collectors.fluent_bit,
    "sysmon-fluent-bit-xml": collectors.fluent_bit_xml,
    "sysmon-fluentd": collectors.fluentd,
    "sysmon-telegraf": collectors.telegraf,
    "sysmon-opentelemetry": collectors.opentelemetry,
    "sysmon-opentelemetry-elasticsearch": collectors.opentelemetry_elasticsearch,
    "sysmon-otlp": collectors.otlp,
    "sysmon-otlp-raw": collectors.otlp_raw,
    "sysmon-gelf": collectors.gelf,
    "sysmon-graylog": collectors.graylog,
    "winlogbeat-graylog": collectors.graylog_beats,
    "winlogbeat-graylog-bare": collectors.graylog_beats_bare,
    "sysmon-helk": collectors.helk,
    "sysmon-lower": collectors.lower,
    "sysmon-flattened": collectors.flattened,
    "winlogbeat-evtx2es": collectors.evtx2es,
    "sysmon-plaso": collectors.plaso,
    "sysmon-chainsaw": collectors.chainsaw,
    "sysmon-hayabusa": collectors.hayabusa,
    "sysmon-hayabusa-text": collectors.hayabusa_text,
    "sysmon-azure-windowsevent": collectors.azure_windows_event,
}
_FIREWALL_WRAPPERS: Mapping[str, Wrapper] = {
    "windows_firewall-evtx_dump": windows.evtx_dump,
    "windows_firewall-flat": windows.flat_time_created,
    "windows_firewall-nxlog": windows.nxlog,
    "windows_firewall-powershell": windows.powershell,
    "windows_firewall-powershell-depth3": windows.powershell_deep,
    "windows_firewall-winlogbeat": windows.winlogbeat_8,
    "windows_firewall-wazuh": collectors.wazuh,
    "windows_firewall-fluent-bit": collectors.fluent_bit,
    "windows_firewall-fluent-bit-bare": collectors.fluent_bit_bare,
    "windows_firewall-fluentd": collectors.fluentd,
    "windows_firewall-telegraf": collectors.telegraf,
    "windows_firewall-otlp": collectors.otlp,
    "windows_firewall-gelf": collectors.gelf,
    "windows_firewall-lower": collectors.lower,
    "windows_firewall-hayabusa": collectors.hayabusa,
    "windows_firewall-securityevent": collectors.azure_security_event,
}


def _of(wrapper: Wrapper, event: Callable[[Connection], events.Event]) -> Form:
    return lambda connection: wrapper(event(connection))


FORMS: Mapping[str, Form] = {
    **{name: _of(wrapper, events.sysmon) for name, wrapper in _SYSMON_WRAPPERS.items()},
    **{name: _of(wrapper, events.firewall) for name, wrapper in _FIREWALL_WRAPPERS.items()},
    "winlogbeat-mapped": ecs.winlogbeat_mapped,
    "sysmon-mapped": ecs.sysmon_mapped,
    "windows_firewall-mapped": ecs.windows_firewall_mapped,
    "elastic_defend-8": ecs.elastic_defend,
    "elastic_defend-old": ecs.elastic_defend_old,
    "endgame-mapped": ecs.endgame_mapped,
    "endgame-mapped-name": ecs.endgame_mapped_name,
    "endgame-raw": vendors.endgame_raw,
    "defender-streaming": vendors.defender_streaming,
    "defender-hunting": vendors.defender_row,
    "defender-hunting-text": vendors.defender_text,
    "defender-sentinel-text": vendors.defender_sentinel,
    "defender-graph": vendors.defender_graph,
    "defender-timeline": vendors.defender_timeline,
    "defender-mapped": ecs.defender_mapped,
    "defender-mapped-old": ecs.defender_mapped_old,
    "sentinel_one-raw": vendors.sentinel_one_raw,
    "sentinel_one-nested": vendors.sentinel_one_nested,
    "sentinel_one-deep": vendors.sentinel_one_deep,
    "sentinel_one-mapped": ecs.sentinel_one_mapped,
    "ecs-plain": ecs.plain,
    "asim-networksession": vendors.asim,
    "ocsf-network": vendors.ocsf,
}
"""Name of a form (the source, a dash, what is special about it) → the form."""

OTHERS: Mapping[str, tuple[Form, ...]] = {
    **{
        name: (_of(wrapper, events.dns), _of(wrapper, events.other_channel))
        for name, wrapper in {**_SYSMON_WRAPPERS, **_FIREWALL_WRAPPERS}.items()
    },
    "winlogbeat-mapped": (ecs.winlogbeat_mapped_other,),
    "elastic_defend-8": (ecs.not_network,),
    "endgame-raw": (vendors.endgame_raw_process,),
    "defender-streaming": (vendors.defender_streaming_process,),
    "defender-hunting-text": (vendors.defender_text_event,),
    "sentinel_one-deep": (vendors.sentinel_one_deep_dns,),
    "sentinel_one-raw": (vendors.sentinel_one_raw_dns, vendors.sentinel_one_raw_process),
}
"""Records of the same exporter that are no connections, however alike they look."""


def fixture(name: str) -> list[dict[str, Any]]:
    """Return the records of one form's file: the scene, then records of other kinds."""
    others = [other(SCENE[0]) for other in OTHERS.get(name, ())]
    return [FORMS[name](connection) for connection in SCENE] + others
