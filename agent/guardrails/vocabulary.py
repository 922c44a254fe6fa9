"""Word lists that the validators know: placeholders, code words, domains, test numbers. Data only."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEST_CARDS = _words(
    """
    2222400070000005 2223000048400011 2223000048410010 2223003122003222 3056930009020004 30569309025904
    340000000000009 341111111111111 3530111333300000 3566002020360505 36227206271667 371449635398431
    374245455400126 378282246310005 378734493671000 38520000023237 4001919257537193 4005519200000004
    4007702835532454 4009348888881881 4012000033330026 4012888888881881 4111111111111111 4217651111111119
    4222222222222 4242424242424242 4263982640269299 4444333322221111 4500600000000061 4532015112830366
    4539578763621486 4916338506082832 4917484589897107 4917610000000000 4988438843884305 5018000000000009
    5019717010103742 5105105105105100 5200533989557118 5200828282828210 5424180279791732 5425233430109903
    5454545454545454 5500000000000004 5555341244441115 5555555555554444 5895626746595650 6011000990139424
    6011000991300009 6011111111111117 6011601160116611 6034932528973614 6200000000000005 6200000000000047
    6205500000000000004 6304000000000000 6331101999990016 6362970000457013
    """
)
"""Card numbers that payment services publish for tests."""


GENERIC_DOMAINS = _words(
    """
    academy aero agency ai app asia bank biz blog capital care cat center clinic cloud club com community
    company consulting coop design dev digital edu email energy finance foundation global gov group health
    info institute int international io jobs law legal life link live media mil mobi museum name net network
    one online org page partners pro school services shop site software solutions space store studio support
    systems team tech tel today travel university ventures website work works world xyz
    """
)
"""Top-level domains, without countries, in which people have mailboxes."""


COUNTRY_DOMAINS = _words(
    """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz
    ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk
    fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir
    is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk
    ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl
    pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc
    td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
    """
)
"""Top-level domains of countries (ISO 3166-1, and ac, eu, su, uk)."""


SERVICE_MAILBOXES = _words(
    """
    bounce bounces do-not-reply do_not_reply donotreply email example firstname.lastname git hg mailer-daemon
    name no-reply no_reply nobody noreply notification notifications postmaster root svn test user username
    you your-email your.email your_email youremail
    """
)
"""Local parts of addresses that belong to programs or stand for any."""


PLACEHOLDER_DOMAINS = _words(
    """
    acme.com company.com domain.com email.com mail.com mydomain.com users.noreply.github.com your-domain.com
    yourcompany.com yourdomain.com
    """
)
"""Domains that documentation uses besides the reserved ones."""


PUBLIC_RESOLVERS = _words(
    """
    1.0.0.1 1.1.1.1 149.112.112.112 208.67.220.220 208.67.222.222 4.2.2.2 8.8.4.4 8.8.8.8 9.9.9.9
    """
)
"""Addresses of name servers that everybody knows."""


CODE_WORDS = _words(
    """
    abc access account admin aes any api apikey arg argon array ascii auth bar base basic baz bcrypt bearer
    bool boolean bytes chapter char client column confirm confirmed cookie credential credentials current data
    database db decoded default demo des dev development dict ec ed encoded encrypted es false field float foo
    guest guid hash hashed hex hmac host hs http https id index input int integer item jwt key keys level list
    local localhost login map md name new nil none null number oauth object old optional page param parameter
    pass passphrase passwd password pbkdf plain private prod production ps public pwd qux raw refresh required
    rfc root row rs rsa scrypt secret secrets secretstr section secure securestring server service session sha
    staging step str string temp test testing tests text tmp token tokens true type undefined unknown user
    username utf uuid v value values var varchar variable version void
    """
)
"""Words of which names in code are made: a value made of them is a name, no secret."""


DEFAULT_PASSWORDS = _words(
    """
    admin db_pass db_password dbpass dbpassword foobared guest mongo my-password my_password mypass mypassword
    mysql pass passwd password passwort pgpass postgres pw pwd rabbitmq redis root secret test token user
    user_password userpassword username x-access-token x-oauth-basic
    """
)
"""Passwords that protect nothing: documentation and fresh installations use them."""


DEFAULT_ACCOUNTS = _words(
    """
    admin administrator demo guest hello letmein master mysql oracle pass passw0rd passwd password postgres qwerty root
    super test tester user welcome
    """
)
"""Names which, with a number behind them, people take for passwords."""


HARMLESS_ENDINGS = _words(
    """
    age alg algo algorithm allowed arn at attempts attribute button changed class col column count created date days
    description digest disabled element enabled encoder endpoint error event expiration expired expires expiry field
    file filename filter format func function hash header help hint hours icon id ids in input invalid kind label
    last len length level limit link manager max md5 message min minutes missing mode ms msg name names param
    parameter path paths pattern placeholder policy prefix prompt provider ref reference regex regexp required reset
    rule rules schema seconds selector sha1 sha256 sha384 sha512 size state status strength suffix template text
    time timeout timestamp title ttl type types until uri url urls usage used valid validator var variable version
    """
)
"""Last words of names that hold something about a secret and not the secret: `password_file`, `tokenType`."""


KEYS_OF_THINGS = _words(
    """
    anon asset blob bucket build cache chunk color commit dedup dedupe digest dist document event group hash host hosts
    i18n id image index item job label list lookup map message migration msg node object order parent path point pub
    public publishable query queue react redis request resource revision route row run s3 schema site sitekey sort state
    store style sub task template theme topic trace tracking translation unique upload view websocket
    """
)
"""Words before `key` in names of what says where something is found, or of what every visitor of a page may read."""


ABBREVIATIONS = _words(
    """
    a an api as at b btn by c cfg cmd cpp css csv ctx d db ddl dns do dst e eq f fn fs ft g gb ge get go gpg grpc gt
    h hdr hm html http https i id if img in io ip is it j json jwt k kb kv l lb le lg lhs ln lt m mb md mfa mgr ms
    msg mtls my n nb ne nfs no np npm ns num nx o of oh ok on or os p pc pdf pg pgp php pin pkg pr ptr pwd px q r rb
    rdp rhs rpc rs rx s sd sdk sh sm sms smtp sp sql sr src ssh ssl sso st std str svc svg sw t tb tcp tls tmp to tx
    ty u ui up us usr v vm vpc vpn vs w we wp ws x xml xs y z
    """
)
"""Parts of names in code that have no vowel or only one or two letters."""
