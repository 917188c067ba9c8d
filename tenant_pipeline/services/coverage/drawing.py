"""Coverage drawn: a meter a dimension, of the tenant and of each of its sources, on a page that needs nothing else."""

from __future__ import annotations

from html import escape

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.page import page
from tenant_pipeline.core.sentences.reading import in_language
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.coverage.reading import ReadDimension, read_coverage, verdict_of_tenant
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime

LANGUAGES = ("th", "en", "zh")
_WORDS = {
    "en": {
        "title": "Coverage", "pass": "pass", "warn": "warn", "fail": "fail", "not-assessed": "not assessed",
        "green": "green: going live is not held up", "not-green": "not green", "blocks": "blocks going live",
        "until": "counts as {floor} until {until}: {reason}",
    },
    "th": {
        "title": "ความครอบคลุม", "pass": "ผ่าน", "warn": "เตือน", "fail": "ไม่ผ่าน", "not-assessed": "ยังไม่ประเมิน",
        "green": "ผ่านทุกมิติที่จำเป็น", "not-green": "ยังไม่ผ่าน", "blocks": "ต้องผ่านก่อนใช้งานจริง",
        "until": "นับเป็น {floor} ถึง {until}: {reason}",
    },
    "zh": {
        "title": "覆盖率", "pass": "通过", "warn": "警告", "fail": "未通过", "not-assessed": "未评估",
        "green": "全部必需维度通过", "not-green": "尚未全部通过", "blocks": "上线前必须通过",
        "until": "{until} 前按 {floor} 计：{reason}",
    },
}  # fmt: skip
_STYLE = """
.row{display:grid;grid-template-columns:13rem 1fr 9rem;gap:.3rem 1rem;align-items:center;padding:.45rem 0;
border-bottom:1px solid var(--line)}
.row small{grid-column:2/4;color:var(--soft)}.band{font-weight:700}
.meter{position:relative;height:1rem;background:var(--track);border-radius:.5rem;overflow:hidden}
.meter i{position:absolute;inset:0 auto 0 0;border-radius:.5rem}
.meter b{position:absolute;top:0;bottom:0;width:2px;background:var(--ink);opacity:.55}
@media (max-width:640px){.row{grid-template-columns:1fr}.row small{grid-column:1}}
"""


def draw_coverage(runtime: Runtime, tenant: TenantId, language: str) -> str:
    """The page, in one of the three languages. Raises InputError for another, NotFoundError for no such tenant."""
    if language not in LANGUAGES:
        raise InputError("There are no labels in that language", where="--language", remedy="One of th, en, zh.")
    words = _WORDS[language]
    name = show_tenant(runtime, tenant)["name"][language]
    verdict = verdict_of_tenant(runtime, tenant)
    parts = [
        f"<h1>{escape(words['title'])}: <bdi>{escape(name)}</bdi></h1>",
        f"<p>{escape(words['green'] if verdict.green else words['not-green'])}</p>",
        _meters(runtime, read_coverage(runtime, tenant), language),
    ]
    for source in sources.list_sources(runtime, tenant):
        if source.is_withdrawn:
            continue
        found = read_coverage(runtime, tenant, source.id)
        if found:
            parts += [f"<h2><bdi>{escape(source.title)}</bdi></h2>", _meters(runtime, found, language)]
    return page(words["title"], "".join(parts), style=_STYLE, language=language)


def _meters(runtime: Runtime, found: list[ReadDimension], language: str) -> str:
    return "".join(_meter(runtime, each, language) for each in found)


def _meter(runtime: Runtime, each: ReadDimension, language: str) -> str:
    words = _WORDS[language]
    label = runtime.contracts.label("coverage_dimensions", each.dimension.id, language)
    band = each.counts_as
    score = each.found.score
    shown = "–" if score is None else f"{score:.0%}"
    note = escape(in_language(each.found.explanation, language, runtime.contracts.labels))
    if each.override is not None:
        until = f"{each.override.expires_at:%Y-%m-%d %H:%M} UTC"
        note += "<br>" + escape(
            words["until"].format(floor=words[each.override.floor], until=until, reason=each.override.reason)
        )
    marks = "".join(f'<b style="left:{at:.1%}"></b>' for at in (each.dimension.warn_at, each.dimension.pass_at))
    blocks = f" <small>({escape(words['blocks'])})</small>" if each.dimension.blocking else ""
    word = words[str(band)] if band is each.found.band else f"{words[str(each.found.band)]} → {words[str(band)]}"
    return (
        f'<div class="row"><div>{escape(label)}{blocks}</div>'
        f'<div class="meter" role="meter" aria-label="{escape(label)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{round(100 * (score or 0))}" aria-valuetext="{escape(f"{shown}, {word}")}">'
        f'<i style="width:{score or 0:.1%};background:var(--{band})"></i>{marks}</div>'
        f'<div><span class="band" style="color:var(--{band})">{escape(word)}</span> {shown}</div>'
        f"<small>{note}</small></div>"
    )
