"""Words that say what kind of thing is named, not which: they weigh little when two names share them."""

from __future__ import annotations

import re

_ARTICLES = (
    "a an the of and at in on by for to de del della di da do dos das du des d l la le les el los las il lo gli i y e "
    "et und der die das am im zu van von het al"
)
_LEGAL_FORMS = (
    "co company ltd limited public pcl plc inc incorporated corp corporation llc llp lp gmbh ag kg sa sas sarl srl spa "
    "bv nv oy ab as aps pte pty sdn bhd partnership group holding holdings enterprise enterprises international intl "
    "association foundation institute society club"
)
_LODGING = "hotel hotels resort resorts hostel inn lodge motel guesthouse guest house villa villas residence suites spa"
_FOOD = (
    "restaurant restaurants ristorante restaurante trattoria pizzeria pizza cafe caffe coffee bar bistro brasserie "
    "grill grille diner eatery kitchen cuisine food foods house deli steakhouse bakery pub tavern lounge"
)
_TRADE = (
    "shop store stores market supermarket mall plaza center centre service services salon boutique studio pharmacy "
    "garage repair auto supply supplies agency office offices bank clinic dental hospital medical school university "
    "college academy church temple museum park garden gardens library theatre theater cinema gallery gym fitness"
)
_PLACES = (
    "city town village district province county beach island road street st rd ave avenue station stop bus airport "
    "pier bridge building tower hall room gate north south east west central old new branch convention exhibition "
    "mueang muang amphoe tambon changwat khet khwaeng ban wat thailand"
)
_THAI_ORGANISATIONS = (
    "บริษัท ห้างหุ้นส่วน ห้างหุ้นส่วนจำกัด โรงแรม รีสอร์ท รีสอร์ต โฮเทล เกสต์เฮาส์ ร้านอาหาร ร้านกาแฟ ร้าน ครัว ภัตตาคาร คาเฟ่ ตลาด "
    "ห้าง ห้างสรรพสินค้า ศูนย์การค้า ศูนย์ประชุม ศูนย์แสดงสินค้า ศูนย์ โรงเรียน มหาวิทยาลัย วิทยาลัย โรงพยาบาล คลินิก สถานี สถานีรถไฟ ท่าเรือ "
    "ท่าอากาศยาน สนามบิน สวนสาธารณะ พิพิธภัณฑ์ สำนักงาน สมาคม มูลนิธิ องค์การบริหารส่วนตำบล เทศบาลตำบล เทศบาลเมือง เทศบาลนคร เทศบาล"
)
_THAI_PLACES = "สวน จังหวัด อำเภอ ตำบล เขต แขวง หมู่บ้าน อาคาร หอประชุม ห้องประชุม ถนน ซอย สะพาน หาด เกาะ วัด บ้าน"
GENERIC_THAI = tuple(sorted(f"{_THAI_ORGANISATIONS} {_THAI_PLACES}".split(), key=lambda word: (-len(word), word)))
"""The longest first: a name begins with it."""
_HAN = (
    "有限公司 股份 集团 公司 酒店 饭店 宾馆 旅馆 度假村 度假酒店 民宿 "
    "餐厅 餐馆 咖啡厅 咖啡馆 咖啡 市场 商场 购物中心 中心 会议中心 会展中心 "
    "展览中心 学校 大学 学院 医院 诊所 车站 机场 码头 公园 博物馆 寺 协会 基金会 商店 超市 大厦 海滩 岛"
)
GENERIC_HAN = tuple(sorted(_HAN.split(), key=lambda word: (-len(word), word)))
GENERIC_WORDS = frozenset(" ".join((_ARTICLES, _LEGAL_FORMS, _LODGING, _FOOD, _TRADE, _PLACES)).split()) | frozenset(
    (*GENERIC_THAI, *GENERIC_HAN)
)

_NAMES_TOO = (
    "company sas public group club society guest house inn lodge villa villas residence spa bar grill grille diner "
    "deli pub kitchen food foods cuisine pizza shop store stores market mall plaza salon studio garage repair auto "
    "supply supplies bank hospital school college church temple park garden gardens gallery"
)
"""Those of them that persons are called, or that stand beside the name of somebody who works there."""

ORGANISATION_WORDS = frozenset(
    word for word in " ".join((_LEGAL_FORMS, _LODGING, _FOOD, _TRADE)).split() if len(word) > 2
) - frozenset(_NAMES_TOO.split())
"""Generic words that tell an organisation wherever they stand in a name."""

_ORGANISATION = re.compile(
    rf"(?:{'|'.join(_THAI_ORGANISATIONS.split())})|.*(?:\b(?:{'|'.join(sorted(ORGANISATION_WORDS))})\b"
    rf"|..(?:{'|'.join(word for word in GENERIC_HAN if len(word) > 1)}))",
    re.DOTALL,
)


def is_called_like_an_organisation(name: str) -> bool:
    """Whether a name says what kind of organisation it is of, in a word that no person is called."""
    return _ORGANISATION.match(name.strip().casefold()) is not None
