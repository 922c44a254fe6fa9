"""What looks like personal data and is none: versions, object ids, order numbers, documentation, arithmetic."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.data.eval.generators.marking import Row, fill, row

_TEMPLATES = r"""
version|numpy==1.26.{d:1} scipy>=1.14.{d:1} node 22.1{d:1}.{d:1}.0 chrome/1{d:2}.0.6{d:3}.1{d:2}
version|Microsoft.Extensions.Logging 8.0.{d:1}.{d:1}; driver 535.183.{d:2}.{d:1}; firmware 7.1.4.34
version|AssemblyVersion("4.8.{d:4}.{d:2}")
version|Upgrade from 10.12.5{d:1}.2{d:1} to 11.2.6{d:1}.{d:1} breaks the plugin API
oid|1.3.6.1.4.1.{d:5}.2.1 sysDescr 1.3.6.1.2.1.1.1.0
oid|OID 2.16.840.1.113883.3.{d:3} and 2.5.29.17
oid|signature algorithm 1.2.840.113549.1.1.11
timestamp|1767{d:6} 1767{d:9} 20260315{d:6}
timestamp|2026-03-15T10:12:33.{d:6}+01:00 duration={d:5}ms
timestamp|Last updated: 15.03.2026, next review 2026-09-01, released March 3, 2026
timestamp|created 12/11/2025 10:15, expires 12/11/2026 10:15
order number|Order 2026-{d:4}-{d:4} shipped, tracking 1Z{up:6}{d:10}
order number|invoice INV-{d:8}, PO {d:10}, SKU {d:4}-{d:4}-{d:4}
order number|ticket #{d:9} was merged into #{d:9}
order number|Sendungsnummer {d:20}, Auftrag {d:8}
order number|case 100-20-3000 step 300-10-4000
isbn|ISBN 978-3-16-148410-0 and ISBN-13: 9780306406157
isbn|ISSN 2049-3630, DOI 10.1000/182, arXiv:2403.{d:5}
barcode|EAN 4006381333931, GTIN 00012345600012
private ip|server 10.{d:1}.{d:2}.{d:2} gateway 192.168.{d:1}.1 dns 127.0.0.53 docker 172.17.0.{d:1}
private ip|listen 0.0.0.0:8080; allow 10.0.0.0/8; deny 169.254.169.254
private ip|fe80::{hex:4}:{hex:4}:fe{hex:2}:{hex:4}%eth0 ::1 fd12:3456:789a::{hex:2}
documentation ip|The examples use 192.0.2.{d:2}, 198.51.100.{d:2} and 203.0.113.{d:2}
documentation ip|2001:db8::{hex:4} is reserved, so is 2001:db8:85a3::8a2e:370:7334
documentation ip|resolver 8.8.8.8 1.1.1.1 9.9.9.9;
documentation e-mail|user@example.com, jane.doe@example.org, test@test.test, admin@localhost
documentation e-mail|noreply@github.com commented; no-reply@accounts.google.com sent a code
documentation e-mail|git clone git@github.com:acme/app.git && ssh deploy@10.0.0.4
documentation e-mail|Co-authored-by: dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>
documentation e-mail|uses: actions/setup-node@v4 with lodash@4.17.21 and @types/node@22.10.1
documentation e-mail|icon@2x.png sprite@3x.webp logo@dark.svg
documentation e-mail|@app.route("/x") @pytest.mark.parametrize @media (max-width: 600px)
documentation e-mail|postgresql://app:${{PW}}@db.internal:5432/app
documentation e-mail|your-email@domain.com or name@company.com
fictional phone|call 555-0123 or (212) 555-0147
fictional phone|+1-800-555-0199 appears in the film
short number|dial 112 or 911; extension 4471; PIN ####; SMS to 55555
arithmetic|const total = 1234567890 * 1000 + 4294967295 - 2147483648;
arithmetic|0.1234567890123 3.14159265358979 -0.57721566490153 6.02214076e23
arithmetic|x = [415, 867, 5309, 2025, 1000]; shape=(1024, 768, 3); 8-4-4-4-12
arithmetic|rgba(120, 200, 255, 0.5) matrix(1 0 0 1 120.5 340.25)
arithmetic|M 12.345678,45.123456 L 78.901234,12.567890 Z
arithmetic|translate(52.520008, 13.404954) scale(1.5)
arithmetic|seed=8675309, n=1000000007, mod 998244353
range|lines 1200-1350, pages 123-145-167, years 1998-2005-2012
range|ports 8000-8010-8020 rows 100-200-300
test card|Stripe test card 4242 4242 4242 4242, declined 4000 0000 0000 0002
test card|Visa 4111 1111 1111 1111, Amex 378282246310005, 5555 5555 5555 4444
card-like|0000 0000 0000 0000 and 1234 5678 9012 3456
card-like|4{d:3} {d:4} {d:4} {d:3}X (masked: **** **** **** 4242)
card-like|{hex:8}{d:8} {d:2} {d:2} {d:2} {d:2} {d:2} {d:2} {d:2} {d:2}
iban-like|DE00 0000 0000 0000 0000 00, GBXX XXXX XXXX XXXX, FR76...
iban-like|GB82WEST, SE35, AT61; country codes DE FR IT ES NL BE
ssn-like|000-12-3456, 666-12-3456, 123-45-6789 are never issued
ssn-like|part 415-86-{d:5}, room 12-34-56
id-like|{uuid} {hex:24} {hex:40}
id-like|chrome-extension://{alpha:32} build-{d:10}-{hex:7}
id-like|user_id={d:8} account_no={d:6} session={d:10} tenant={d:9}
id-like|Discord guild {d:18}, tweet {d:19}, Facebook page {d:15}
mac-like|SHA1 {HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}:{HEX:2}
mac-like|00:00:00:00:00:00 ff:ff:ff:ff:ff:ff 12:30:45 10:11:12:13
time|opening hours 08:30-12:00, 13:00-18:30; UTC+02:00; 23:59:59.999
time|cron 0 30 4 1 1 * ; ISO week 2026-W12-5
wallet-like|0x{hex:8} 0x{hex:16} transaction 0x{hex:64}
wallet-like|git object {hex:40}, base58 alphabet 123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz
birth-like|The company was founded on 12.03.1998 and went public on 2004-08-19.
birth-like|const BIRTH_DATE_FORMAT = "DD.MM.YYYY"; validateDateOfBirth(value)
birth-like|The date of birth must lie before today; the column dob is nullable.
code|if (!/^\d{{3}}-\d{{2}}-\d{{4}}$/.test(ssn)) throw new Error("SSN")
code|phone: z.string().regex(/^\+?[0-9]{{7,15}}$/), email: z.string().email()
code|CREATE TABLE customers (id BIGINT, phone VARCHAR(20), ssn CHAR(11), iban VARCHAR(34))
code|class CreditCard: number: str; cvv: str  # 16 digits, Luhn
code|def is_valid_iban(iban): return len(iban) == 22 and iban.startswith("DE")
prose|The call to action has 1200 400 300 words per section; phone support is free.
prose|Our fax is out of order, phone us next week. The SSN field is optional.
prose|Section 12 34 56 of the handbook explains tax file numbers.
log|[2026-03-15 10:00:00,123] pid=48{d:3} tid=1403{d:11} rss=123456789 cpu=12.5
log|HTTP/1.1" 200 1234567 "-" "Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.6478.{d:3}"
log|0x00007f{hex:10} <main+{d:4}> libc.so.6 +0x{hex:6}
lock file|"resolved": "mirror/lodash-4.17.21.tgz", "integrity": "sha512-{b64:86}=="
"""


def rows(draw: random.Random) -> Iterator[Row]:
    """Each template some times, alone and within a question."""
    frames = (
        "{}",
        "{}",
        "```\n{}\n```\nWhy does this fail?",
        "Given:\n{}\nexplain it.",
        "log: {} (phone home disabled)",
    )
    for line in _TEMPLATES.strip("\n").splitlines():
        context, template = line.split("|", 1)
        for _ in range(5):
            template_text = template.replace("{{", "\1").replace("}}", "\2")
            text = fill(draw, template_text).replace("\1", "{").replace("\2", "}")
            yield row(
                draw.choice(frames).replace("{}", text),
                family="pii",
                context=context,
                source="own, after what code and logs hold",
            )
