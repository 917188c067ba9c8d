"""Conflicts: how values were compared, what is proposed and why, and how a person decides."""

from __future__ import annotations

from collections.abc import Mapping

COMPARING: Mapping[str, tuple[str, str]] = {
    "The values are the same once they are written in one canonical way.": (
        "เมื่อเขียนในรูปแบบมาตรฐานเดียวกันแล้ว ค่าเหล่านี้เหมือนกัน",
        "按统一的标准写法，这些值是相同的。",
    ),
    "The values differ, and are said to have held one after the other.": (
        "ค่าต่างกัน แต่ระบุว่าใช้คนละช่วงเวลาต่อเนื่องกัน",
        "这些值不同，但据称先后有效。",
    ),
    "The pseudonyms were made under different keys and cannot be compared.": (
        "นามแฝงสร้างด้วยกุญแจคนละดอก จึงเทียบกันไม่ได้",
        "这些假名由不同的密钥生成，无法比较。",
    ),
    "The pseudonyms stand for different values.": (
        "นามแฝงแทนค่าที่ต่างกัน",
        "这些假名代表不同的值。",
    ),
    "One value is a pseudonym, and what it stands for cannot be compared with the other.": (
        "ค่าหนึ่งเป็นนามแฝง จึงเทียบสิ่งที่แทนไว้กับอีกค่าไม่ได้",
        "其中一个值是假名，它所代表的内容无法与另一个值比较。",
    ),
    "The names are the same but for case, spacing and punctuation.": (
        "ชื่อเหมือนกัน ต่างเพียงตัวพิมพ์ใหญ่เล็ก การเว้นวรรค และเครื่องหมายวรรคตอน",
        "名称相同，仅大小写、空格和标点不同。",
    ),
    "The names are the same but for accents on Latin letters.": (
        "ชื่อเหมือนกัน ต่างเพียงเครื่องหมายกำกับบนอักษรละติน",
        "名称相同，仅拉丁字母上的变音符号不同。",
    ),
    "The names are the same but for a legal form or a word that only says what kind of place is named.": (
        "ชื่อเหมือนกัน ต่างเพียงรูปแบบนิติบุคคล หรือคำที่บอกแค่ว่าเป็นสถานที่ประเภทใด",
        "名称相同，仅法律形式或表示地点种类的词不同。",
    ),
    "The names are written in different scripts and cannot be compared letter by letter.": (
        "ชื่อเขียนด้วยอักษรต่างชนิดกัน จึงเทียบทีละตัวอักษรไม่ได้",
        "名称用不同的文字书写，无法逐字比较。",
    ),
    "The names differ by more than the way of writing them.": (
        "ชื่อต่างกันมากกว่าแค่วิธีเขียน",
        "名称的差异不只是写法不同。",
    ),
    "The texts are the same but for case, spacing and punctuation.": (
        "ข้อความเหมือนกัน ต่างเพียงตัวพิมพ์ใหญ่เล็ก การเว้นวรรค และเครื่องหมายวรรคตอน",
        "文字相同，仅大小写、空格和标点不同。",
    ),
    "The texts differ by more than case, spacing and punctuation.": (
        "ข้อความต่างกันมากกว่าแค่ตัวพิมพ์ใหญ่เล็ก การเว้นวรรค และเครื่องหมายวรรคตอน",
        "文字的差异不只是大小写、空格和标点。",
    ),
    "One category narrows the other: its head is the whole of the other (Thai restaurant, restaurant).": (
        "หมวดหนึ่งแคบกว่าอีกหมวด คำหลักของมันคือทั้งหมดของอีกหมวด (ร้านอาหารไทย, ร้านอาหาร)",
        "一个类别比另一个更具体：它的中心词就是另一个类别（泰式餐厅、餐厅）。",
    ),
    "All parts of the addresses that can be told apart are the same, down to the house number, and so is the rest.": (
        "ทุกส่วนของที่อยู่ที่แยกออกได้เหมือนกันจนถึงบ้านเลขที่ และส่วนที่เหลือก็เหมือนกัน",
        "地址中可以区分的各部分直到门牌号都相同，其余部分也相同。",
    ),
    "The addresses differ in a part that both give.": (
        "ที่อยู่ต่างกันในส่วนที่ทั้งสองระบุไว้",
        "两个地址在都写明的某一部分上不同。",
    ),
    "The addresses agree in every part that both give, and one gives more.": (
        "ที่อยู่ตรงกันทุกส่วนที่ทั้งสองระบุไว้ และที่อยู่หนึ่งระบุละเอียดกว่า",
        "两个地址都写明的部分全部一致，其中一个写得更详细。",
    ),
    "The addresses share no part that could confirm or deny the other.": (
        "ที่อยู่ไม่มีส่วนใดร่วมกันที่จะยืนยันหรือหักล้างกันได้",
        "两个地址没有可以相互印证或否定的共同部分。",
    ),
    "One code is of an area inside the other's: a tambon of the same amphoe, an amphoe of the same changwat.": (
        "รหัสหนึ่งเป็นของเขตที่อยู่ในเขตของอีกรหัส เช่น ตำบลในอำเภอเดียวกัน อำเภอในจังหวัดเดียวกัน",
        "一个代码所指的区域位于另一个之内：同一县的镇，或同一府的县。",
    ),
    "The codes differ, and a code is either the same or another one.": (
        "รหัสต่างกัน และรหัสมีแต่เหมือนหรือเป็นคนละรหัสเท่านั้น",
        "代码不同；代码要么相同，要么就是另一个。",
    ),
    "The web addresses are the same but for http or https, `www.` and a trailing slash.": (
        "ที่อยู่เว็บเหมือนกัน ต่างเพียง http หรือ https, `www.` และเครื่องหมายทับท้าย",
        "网址相同，仅 http 与 https、`www.` 或末尾斜杠不同。",
    ),
    "One web address is a page below the other.": (
        "ที่อยู่เว็บหนึ่งเป็นหน้าย่อยของอีกที่อยู่",
        "一个网址是另一个网址下的页面。",
    ),
    "The web addresses lead to different places.": (
        "ที่อยู่เว็บนำไปคนละที่",
        "两个网址指向不同的地方。",
    ),
    "One of the dates cannot be read as a date.": (
        "มีค่าหนึ่งที่อ่านเป็นวันที่ไม่ได้",
        "其中一个值无法读作日期。",
    ),
    "The dates name the same time in two ways.": (
        "วันที่ระบุเวลาเดียวกันด้วยวิธีเขียนสองแบบ",
        "两个日期以不同写法表示同一时间。",
    ),
    "One date lies within the other and only says it more finely.": (
        "วันที่หนึ่งอยู่ในช่วงของอีกวันที่ เพียงแต่ระบุละเอียดกว่า",
        "一个日期落在另一个日期之内，只是更精确。",
    ),
    "The dates begin and end within the property's tolerance of each other, in days.": (
        "วันเริ่มและวันสิ้นสุดห่างกันไม่เกินจำนวนวันที่ยอมรับได้ของช่องข้อมูลนี้",
        "两个日期的起止相差不超过该字段允许的天数。",
    ),
    "The dates name different times.": (
        "วันที่ระบุคนละเวลา",
        "两个日期表示不同的时间。",
    ),
    "One of the places is no pair of latitude and longitude.": (
        "พิกัดหนึ่งไม่ใช่คู่ของละติจูดและลองจิจูด",
        "其中一个坐标不是一对纬度和经度。",
    ),
    "The places are nearer to each other than the property's tolerance in metres.": (
        "พิกัดอยู่ใกล้กันไม่เกินระยะเป็นเมตรที่ยอมรับได้ของช่องข้อมูลนี้",
        "两个坐标的距离小于该字段允许的米数。",
    ),
    "The places are further from each other than the property's tolerance in metres.": (
        "พิกัดอยู่ห่างกันเกินระยะเป็นเมตรที่ยอมรับได้ของช่องข้อมูลนี้",
        "两个坐标的距离超过该字段允许的米数。",
    ),
    "One of the numbers cannot be read as a number.": (
        "มีค่าหนึ่งที่อ่านเป็นตัวเลขไม่ได้",
        "其中一个值无法读作数字。",
    ),
    "The numbers are equal, written in two ways.": (
        "ตัวเลขเท่ากัน เขียนต่างวิธี",
        "两个数字相等，只是写法不同。",
    ),
    "The numbers differ by less than the property's tolerance, as a share of the greater one.": (
        "ตัวเลขต่างกันไม่เกินสัดส่วนของค่าที่มากกว่าที่ยอมรับได้ของช่องข้อมูลนี้",
        "两个数字之差占较大者的比例小于该字段允许的范围。",
    ),
    "One number is the other rounded to fewer significant digits, but not to one alone.": (
        "ตัวเลขหนึ่งคืออีกตัวเลขที่ปัดให้เหลือเลขนัยสำคัญน้อยลง แต่ไม่เหลือเพียงหลักเดียว",
        "一个数字是另一个数字舍入到较少有效位数的结果，但不止一位。",
    ),
    "The numbers differ by more than the property's tolerance.": (
        "ตัวเลขต่างกันเกินที่ยอมรับได้ของช่องข้อมูลนี้",
        "两个数字之差超过该字段允许的范围。",
    ),
}
"""The rules that compare two values: the first line of each one's docstring."""

PROPOSING: Mapping[str, tuple[str, str]] = {
    "A person has chosen this value.": ("มีคนเลือกค่านี้แล้ว", "已有人选定此值。"),
    "All sources say the same once it is written in one way.": (
        "เมื่อเขียนในรูปแบบเดียวกันแล้ว ทุกแหล่งข้อมูลให้ค่าเดียวกัน",
        "按同一写法，所有来源说法一致。",
    ),
    "Values that can be read come before values that were made unreadable.": (
        "ค่าที่อ่านได้มาก่อนค่าที่ถูกทำให้อ่านไม่ได้",
        "可读的值优先于已被处理为不可读的值。",
    ),
    "Sources of the best authority tier come first.": (
        "แหล่งข้อมูลที่อยู่ในระดับความน่าเชื่อถือสูงสุดมาก่อน",
        "权威级别最高的来源优先。",
    ),
    "Sources that are right more often, and were asked more lately, weigh more.": (
        "แหล่งข้อมูลที่ถูกบ่อยกว่าและสอบถามล่าสุดกว่ามีน้ำหนักมากกว่า",
        "正确率更高、查询时间更近的来源权重更大。",
    ),
    "What more independent sources say comes first; copies count once, AI text not at all.": (
        "ค่าที่แหล่งข้อมูลอิสระยืนยันมากกว่ามาก่อน สำเนานับเป็นหนึ่ง ข้อความจาก AI ไม่นับ",
        "更多独立来源支持的值优先；副本只计一次，AI 文本不计。",
    ),
    "What was observed last comes first.": ("ค่าที่สังเกตล่าสุดมาก่อน", "最近观察到的值优先。"),
    "Nothing tells the values apart; the first statement by its id stands.": (
        "ไม่มีสิ่งใดใช้แยกค่าเหล่านี้ได้ จึงใช้รายการแรกตามรหัส",
        "没有依据可区分这些值，因此采用按标识排在最前的陈述。",
    ),
    "{sentence:sentence} {left:figure} of {before:figure} values are left.": (
        "{sentence} เหลือ {left} จาก {before} ค่า",
        "{sentence}{before} 个值中剩下 {left} 个。",
    ),
    "{count:figure} sources repeat one another and count as one witness.": (
        "แหล่งข้อมูล {count} แห่งกล่าวซ้ำกัน จึงนับเป็นพยานเดียว",
        "{count} 个来源互相重复，只算一个佐证。",
    ),
    "By the record of its sources, the proposed value is {share:figure} likely.": (
        "จากประวัติของแหล่งข้อมูล ค่าที่เสนอมีโอกาสถูก {share}",
        "根据各来源以往的记录，提议的值有 {share} 的可能是正确的。",
    ),
    "By that record another value is likelier: {likeliest:figure}.": (
        "จากประวัติเดียวกัน มีค่าอื่นที่มีโอกาสถูกมากกว่า: {likeliest}",
        "根据同样的记录，另一个值更有可能：{likeliest}。",
    ),
    "A person must decide: {reason:sentence}": ("ต้องให้คนตัดสิน: {reason}", "需要人工决定：{reason}"),
    "Sources of tier 1 contradict each other.": (
        "แหล่งข้อมูลระดับ 1 ขัดแย้งกัน",
        "第 1 级来源相互矛盾。",
    ),
    "Nothing tells the values apart but the order of their statements.": (
        "ไม่มีสิ่งใดใช้แยกค่าเหล่านี้ได้ นอกจากลำดับของรายการ",
        "除了陈述的先后顺序，没有依据可区分这些值。",
    ),
    "{count:figure} values are proposed, each for its own time.": (
        "เสนอ {count} ค่า แต่ละค่าสำหรับช่วงเวลาของตนเอง",
        "提议 {count} 个值，各自适用于其有效的时间。",
    ),
    "Some of the values held one after the other, and others at one time.": (
        "บางค่าใช้ต่อเนื่องกันคนละช่วงเวลา แต่บางค่าใช้ในช่วงเวลาเดียวกัน",
        "有些值先后有效，另一些则同时有效。",
    ),
    "There are {count:figure} different values: perhaps several things were taken for one.": (
        "มีค่าต่างกัน {count} ค่า อาจรวมหลายสิ่งไว้เป็นสิ่งเดียว",
        "共有 {count} 个不同的值：可能把多个事物当成了一个。",
    ),
}
"""How the proposal came about, and why a person must decide."""

DECIDING: Mapping[str, tuple[str, str]] = {
    "Take what one candidate says. It becomes the property's resolved value, with that statement as its source.": (
        "ใช้ค่าที่เสนอค่าหนึ่ง ค่านั้นจะเป็นค่าที่ตัดสินแล้วของช่องข้อมูล โดยอ้างรายการนั้นเป็นที่มา",
        "采用其中一个候选值。它将成为该字段的确定值，并以该陈述为来源。",
    ),
    "Enter another value. It is kept as yours, with your reason, and ranks before every source.": (
        "กรอกค่าอื่น ค่านั้นจะเก็บในชื่อของคุณพร้อมเหตุผล และมาก่อนทุกแหล่งข้อมูล",
        "输入其他值。它会连同您的理由以您的名义保存，并优先于所有来源。",
    ),
    "Say that all of them are right: at different times, or because there are several. All are resolved values.": (
        "ระบุว่าถูกทั้งหมด เพราะเป็นคนละช่วงเวลาหรือเพราะมีหลายค่า ทุกค่าเป็นค่าที่ตัดสินแล้ว",
        "表示全部正确：时间不同，或本来就有多个。所有值都成为确定值。",
    ),
    "Say that the sources speak of different things. The item stays open, and its links are handed to be judged.": (
        "ระบุว่าแหล่งข้อมูลพูดถึงคนละสิ่ง รายการยังเปิดอยู่ และส่งการเชื่อมโยงไปให้ตัดสิน",
        "表示各来源说的是不同事物。该项保持未解决，其关联交由人工判断。",
    ),
    "Signing settles the value for these candidates under these rules, and for no others: when a source changes what"
    " it says, the signature becomes void and the item is open again. No statement is changed. The decision is kept"
    " for good and written to the audit log under your name.": (
        "การลงนามตัดสินค่าสำหรับค่าที่เสนอเหล่านี้ภายใต้กฎเหล่านี้เท่านั้น หากแหล่งข้อมูลเปลี่ยนสิ่งที่ระบุ ลายเซ็นจะเป็นโมฆะและรายการจะเปิดใหม่"
        " ไม่มีรายการใดถูกแก้ไข คำตัดสินจะเก็บไว้ถาวรและบันทึกลงบันทึกตรวจสอบในชื่อของคุณ",
        "签署只针对这些候选值和这些规则确定取值：如果某个来源更改了说法，签名即失效，该项重新变为未解决。"
        "任何陈述都不会被更改。决定将永久保存，并以您的名义写入审计日志。",
    ),
    "Its sources no longer disagree.": ("แหล่งข้อมูลไม่ขัดแย้งกันแล้ว", "各来源已不再有分歧。"),
    "Its candidates or their rules changed.": (
        "ค่าที่เสนอหรือกฎที่ใช้เปลี่ยนไป",
        "候选值或其规则已更改。",
    ),
}
"""What a person may decide, what signing does, and why a signature became void."""
