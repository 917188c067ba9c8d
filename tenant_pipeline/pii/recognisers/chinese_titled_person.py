"""Chinese names before a form of address: 王小明先生, 李女士, 欧阳教授."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_FAMILY = (
    "欧阳|上官|司马|诸葛|司徒|"
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾萧肖田董袁潘蔡蒋余于杜叶程苏魏吕丁沈姚卢姜崔钟谭陆汪范廖石贾韦付邹孟熊秦邱侯江尹薛闫雷史陶贺顾毛郝龚邵万钱覃武戴莫孔汤"
    "陳張劉楊黃趙吳孫馬羅鄭許韓馮鄧蕭蔣葉蘇魏呂盧鍾譚陸賈韋鄒閻賀顧龔錢湯]"
)
_ADDRESS = "先生|女士|小姐|经理|教授|博士|医生|老师|主任|总监"
_NAME = re.compile(rf"(?P<name>(?:{_FAMILY})[一-鿿]{{0,2}}?)(?:{_ADDRESS})")


class ChineseTitledPersonRecogniser(FoldedRecogniser):
    """A family name, at most two characters of given name, and a form of address."""

    entity = "PERSON"
    prefilter = _ADDRESS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Names before a form of address."""
        for match in _NAME.finditer(folded):
            yield Candidate(match.start("name"), match.end("name"), 0.7)
