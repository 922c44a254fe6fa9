"""Sign-in with the company's identity provider (OpenID Connect): who a person of this machine is to the company.

Two sides that meet at the control API. The *person's* (`person`, by way of `browser` or `device_code`) goes through the
provider's pages and keeps what renews a sign-in (`token_store`). The *agent's* (`keeping`) says whom to ask and with
which nonce, checks every ID token itself (`verification`, `tokens`, `key_book`) and tells the gateway who is who. Both
read the provider's own word on where it is asked (`discovery`), over `web`. No token is ever logged or recorded.
"""
