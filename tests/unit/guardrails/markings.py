"""Texts that carry a marking of confidentiality, by rule, and texts in which the same words are only words."""

from __future__ import annotations

MARKED: dict[str, tuple[tuple[str, str], ...]] = {  # rule: the text and the marking in it
    "tlp-red": (
        ("TLP:RED\n\nIncident report", "TLP:RED"),
        ("Incident report 7\t\tTLP:RED\nbody", "TLP:RED"),
        ("Subject: [TLP:RED] leak", "TLP:RED"),
        ("fwd of [TLP:RED] notes", "TLP:RED"),
    ),
    "tlp-amber-strict": (("# TLP:AMBER+STRICT\ntext", "TLP:AMBER+STRICT"),),
    "tlp-amber": (("notes\n** TLP: AMBER **\n", "TLP: AMBER"), ("Classification: TLP:AMBER", "TLP:AMBER")),
    "tlp-green": (("page 1 | TLP:GREEN", "TLP:GREEN"),),
    "tlp-clear": (("TLP:CLEAR", "TLP:CLEAR"), ("TLP:WHITE\r\n", "TLP:WHITE")),
    "confidential-phrase": (
        ("Company Confidential\n\nRoadmap", "Company Confidential"),
        ("/*\n * Proprietary and confidential\n */", "Proprietary and confidential"),
        ("<!-- Strictly Confidential -->\n<p>", "Strictly Confidential"),
        ("text\nDO NOT DISTRIBUTE\n", "DO NOT DISTRIBUTE"),
        ("Not for external distribution - Page 3 of 9\n", "Not for external distribution"),
        ("Sensitivity: Company-Confidential\nTo: x", "Company-Confidential"),
        ("Subject: Re: Strictly confidential - plans", "Strictly confidential"),
    ),
    "confidential-word": (
        ("CONFIDENTIAL\n\nMerger plan", "CONFIDENTIAL"),
        ("end of page\n\n        CONFIDENTIAL - Page 2\n", "CONFIDENTIAL"),
        ("ACME CONFIDENTIAL\n", "ACME CONFIDENTIAL"),
        ("**Classification:** Confidential\n", "Confidential"),
        ("Subject: FW: [CONFIDENTIAL] numbers", "CONFIDENTIAL"),
        ("Subject: CONFIDENTIAL: numbers", "CONFIDENTIAL"),
    ),
    "internal-use": (
        ("FOR INTERNAL USE ONLY\n", "FOR INTERNAL USE ONLY"),
        ("# Internal use only\nimport os", "Internal use only"),
    ),
    "internal-value": (("Data Classification: Internal\n", "Internal"),),
    "proprietary-notice": (
        (
            "# Copyright 2025 Example Corp. All rights reserved. Proprietary and confidential.\n",
            "Proprietary and confidential",
        ),
    ),
    "privileged": (
        ("ATTORNEY-CLIENT PRIVILEGED\nDear", "ATTORNEY-CLIENT PRIVILEGED"),
        ("Subject: Privileged & Confidential - claim", "Privileged & Confidential"),
    ),
    "trade-secret": (("TRADE SECRET\nThe process", "TRADE SECRET"),),
    "classified-banner": (
        ("TOP SECRET//SI//NOFORN\nbody", "TOP SECRET//SI//NOFORN"),
        ("1. (S//NF) The unit moved.", "(S//NF)"),
        ("NATO RESTRICTED\n", "NATO RESTRICTED"),
        ("VS-VERTRAULICH\n", "VS-VERTRAULICH"),
    ),
    "controlled-banner": (
        ("CUI//SP-PRVCY\n", "CUI//SP-PRVCY"),
        ("CUI\n\nContract", "CUI"),
        ("UNCLASSIFIED//FOUO\n", "UNCLASSIFIED//FOUO"),
        ("FOR OFFICIAL USE ONLY\n", "FOR OFFICIAL USE ONLY"),
        ("OFFICIAL-SENSITIVE\n", "OFFICIAL-SENSITIVE"),
        ("VS-NfD\n", "VS-NfD"),
        ("VS – NUR FÜR DEN DIENSTGEBRAUCH\n", "VS – NUR FÜR DEN DIENSTGEBRAUCH"),
        ("DIFFUSION RESTREINTE\n", "DIFFUSION RESTREINTE"),
        ("Subject: plan [SEC=PROTECTED]", "SEC=PROTECTED"),
    ),
    "european-phrase": (
        ("Streng vertraulich\n", "Streng vertraulich"),
        ("Nur für den internen Gebrauch\n", "Nur für den internen Gebrauch"),
        ("Strictement confidentiel\n", "Strictement confidentiel"),
        ("USO INTERNO\n", "USO INTERNO"),
        ("ŚCIŚLE POUFNE\n", "ŚCIŚLE POUFNE"),
    ),
    "european-word": (
        ("VERTRAULICH\n\nVertrag", "VERTRAULICH"),
        ("Einstufung: vertraulich\n", "vertraulich"),
        ("[Confidencial]\n", "Confidencial"),
    ),
    "east-asian-marking": (
        ("【社外秘】計画", "社外秘"),
        ("机密文件\n第一", "机密"),
        ("密级：机密\n", "机密"),
        ("대외비\n\n계획", "대외비"),
    ),
    "mip-label": (
        (
            'name="MSIP_Label_2096f6a2-d2f7-48be-b329-b73aaa526e5d_Enabled"',
            "MSIP_Label_2096f6a2-d2f7-48be-b329-b73aaa526e5d_Enabled",
        ),
    ),
    "classification-header": (
        (
            "To: x\nX-MS-Exchange-Organization-Classification: Board\n",
            "X-MS-Exchange-Organization-Classification: Board",
        ),
    ),
}

UNMARKED: tuple[str, ...] = (
    # in a sentence
    "Confidential computing protects data in use with enclaves.",
    "Please keep this confidential, and do not distribute the file before Monday.",
    "What does TLP:RED mean, and how does it differ from TLP:AMBER?",
    "- TLP:GREEN: recipients may share it with peers\n- TLP:CLEAR: no limit",
    "Our policy knows the levels public, internal, confidential and strictly confidential.",
    "A trade secret is information that is valuable because it is not known.",
    "The attorney-client privilege does not cover facts.",
    "This API is for internal use only and may change without notice.",
    "The court asked whether the memo was attorney work product or not.",
    "He holds a top secret clearance; NOFORN material needs another system.",
    "Das Gespräch war streng vertraulich, sagte er.",
    "VS-NfD-taugliche Notebooks sind teuer.",
    "C'est un document strictement confidentiel du ministère.",
    "これは社外秘の資料なので注意してください。",
    "请不要泄露商业机密信息。",
    "이 문서는 대외비 자료입니다.",
    # in code and configuration
    "internal class Repository {\n    internal fun load() = 1\n}",
    "public enum Level\n{\n    PUBLIC,\n    INTERNAL,\n    CONFIDENTIAL\n}",
    "class Level(Enum):\n    INTERNAL = 'internal'\n    CONFIDENTIAL = 'confidential'\n    SECRET = 'secret'",
    'const label = "strictly confidential";',
    "switch (level) {\n  case CONFIDENTIAL:\n    return red;\n}",
    "classification: internal\nsensitivity: 0.8\ndistribution: normal",
    "SELECT * FROM docs WHERE classification = 'Confidential'",
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: tls-secret\ntype: Opaque",
    "// SECRET is read from the environment\nconst SECRET = process.env.SECRET;",
    "from google.cloud import confidential_computing",
    "OFFICIAL images are on the hub; see https://example.com//SECRET/path",
    "if (mode == RESTRICTED) { deny(); }",
    "Sensitivity: 0.93, specificity: 0.88",
    "Distribution: Debian GNU/Linux 13",
    "Subject: internal review of the release",
    "| level | meaning |\n|---|---|\n| Internal | staff |\n| Confidential | few |",
)
