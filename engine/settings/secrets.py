"""What comes from the environment only."""

from pydantic import Field, SecretStr

from engine.settings.values import Part


class Secrets(Part):
    """What nobody may read. From the environment only, and never shown."""

    signing: SecretStr | None = Field(
        None,
        min_length=20,
        description="signs the links in mails, which need it where `web.url` is set, and hashes what is kept "
        "of who was erased; any long text, the same for ever",
    )
    smtp_password: SecretStr | None = Field(None, min_length=1, description="that of `smtp.user`")
    dkim_key: SecretStr | None = Field(
        None, min_length=1, description="the private RSA key in PEM form; line breaks may be written as `\\n`"
    )
    sendgrid_key: SecretStr | None = Field(
        None,
        description="the API key of SendGrid; it needs the right Mail Send, and for its lists Suppressions",
    )
    write_key: SecretStr | None = Field(
        None,
        min_length=20,
        description="lets into the events API whoever has it; any long text. Without it nothing is let in",
    )
    stripe_webhook: SecretStr | None = Field(
        None, min_length=8, description="the signing secret of Stripe's webhook endpoint, `whsec_…`"
    )
    shopify_webhook: SecretStr | None = Field(
        None,
        min_length=8,
        description="what Shopify signs webhooks with, as its settings show it",
    )
    woocommerce_webhook: SecretStr | None = Field(
        None, min_length=8, description="the secret of WooCommerce's webhooks, the same for all of them"
    )
    gumroad_webhook: SecretStr | None = Field(
        None, min_length=20, description="the end of the address that Gumroad pings; letters and digits"
    )
    thinkific_webhook: SecretStr | None = Field(
        None, min_length=8, description="what Thinkific signs webhooks with: the API key"
    )
    teachable_webhook: SecretStr | None = Field(
        None, min_length=20, description="the end of the address that Teachable posts to; letters and digits"
    )
