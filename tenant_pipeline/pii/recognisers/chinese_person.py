"""Chinese names: before a form of address (王小明先生), after a word that introduces one, before a verb of speech.

The family name is listed. Without a form of address the given name must be made of characters that given names are
made of (Faker's lists, MIT), since any two characters after 王 or 高 may be a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from faker.providers.person.zh_CN import Provider as Mainland
from faker.providers.person.zh_TW import Provider as Taiwan

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_FAMILY = (
    "(?:欧阳|上官|司马|诸葛|司徒|歐陽|諸葛|夏侯|尉迟|慕容|皇甫|["
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾萧肖田董袁潘蔡蒋余于杜叶程苏魏吕丁沈姚卢姜崔钟谭"
    "陆汪范廖石贾韦付邹孟熊秦邱侯江尹薛闫雷史陶贺顾毛郝龚邵万钱覃武戴莫孔汤陳張劉楊黃趙吳孫馬羅鄭許韓馮鄧蕭蔣葉蘇呂"
    "盧鍾譚陸賈韋鄒閻賀顧龔錢湯方高夏傅白常康尤柳柯洪温溫向施岳"
    "])"
)
_ADDRESS = "先生|女士|小姐|经理|經理|教授|博士|医生|醫生|老师|老師|主任|总监|總監|同学|律师|律師|书记|局长"
_SPEECH = "说|說|表示|介绍|介紹|指出|认为|認為|告诉|告訴|强调|強調|透露|出生|回忆|坦言|报道|報導|今年[0-9]{1,3}岁"
_INTRODUCTION = (
    "名叫|我叫|他叫|她叫|姓名|联系人|聯絡人|負責人|负责人|作者|记者|記者|编辑|导演|演员|歌手|总经理|董事长|董事長|店长|店主|导游|經理"
    "|教授|法人|法定代表人|收件人|收货人|经办人|本人|我是"
)
_END = "(?=$|[^一-鿿]|说|說|表示|介绍|的|是|在|和|与|及|，|、|于|今年|女士|先生|告诉|报道|報導|电话|手机)"
_ADDRESSED = re.compile(rf"(?P<name>{_FAMILY}[一-鿿]{{0,2}}?)(?:{_ADDRESS})")
_INTRODUCED = re.compile(
    rf"(?:{_INTRODUCTION})(?:是|为|為)?[ ]?:?[ ]?(?P<name>{_FAMILY}(?P<given>[一-鿿]{{1,2}}?)){_END}"
)
_WHOLE = re.compile(rf"{_FAMILY}(?P<given>[一-鿿]{{1,2}})")
_SPEAKING = re.compile(rf"(?:^|(?<=[^一-鿿]))(?P<name>{_FAMILY}(?P<given>[一-鿿]{{1,2}}))(?={_SPEECH})", re.MULTILINE)


@cache
def _given_characters() -> frozenset[str]:
    return frozenset("".join(name for provider in (Mainland, Taiwan) for name in provider.first_names))


def is_chinese_name(text: str) -> bool:
    """Whether the whole text is a listed family name and one or two characters that given names are made of."""
    match = _WHOLE.fullmatch(text)
    return match is not None and _is_given(match["given"])


def _is_given(given: str) -> bool:
    return all(character in _given_characters() for character in given)


class ChinesePersonRecogniser(FoldedRecogniser):
    """A family name and at most two characters of given name, where the words around it speak of a person."""

    entity = "PERSON"
    prefilter = f"{_ADDRESS}|{_INTRODUCTION}|{_SPEECH}"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Names before a form of address, after an introduction, before a verb of speech."""
        for match in _ADDRESSED.finditer(folded):
            yield Candidate(match.start("name"), match.end("name"), 0.7)
        for pattern in (_INTRODUCED, _SPEAKING):
            for match in pattern.finditer(folded):
                if _is_given(match["given"]):
                    yield Candidate(match.start("name"), match.end("name"), 0.65)
