"""One mail written for one customer."""

from collections.abc import Iterator

from engine.campaigns.model import Campaign
from engine.rendering.context import ClaimBook, CustomerCard, Surroundings
from engine.rendering.copy import Copy
from engine.rendering.eml import ascii_domain
from engine.rendering.evidence import Proofs
from engine.rendering.mail import Mail, MailOrder, Unwritable, WhyNot
from engine.rendering.rendered import Failed
from engine.rendering.tryout import SOMEBODY, specimen_book


class Writer:
    """Writes the mails of one shop."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings

    def write(
        self, order: MailOrder, copy: Copy | None, customer: CustomerCard | None, proofs: Proofs
    ) -> Mail | Unwritable:
        """The mail, or why it cannot be written."""
        if copy is None:
            return _unwritable(order, "render_failed", "the campaign or the step is not in the files")
        if copy.problems:
            return _unwritable(order, "render_failed", str(copy.problems[0]))
        if customer is None or not is_address(customer.email):
            return _unwritable(order, "no_address", "no address that a mail can go to is known")
        try:
            return self._mail(order, copy, customer, ClaimBook(proofs))
        except Failed as failed:
            reason: WhyNot = "claim_unproven" if failed.unproven else "render_failed"
            place = f"{failed.name}:{failed.line}: " if failed.line else ""
            return _unwritable(order, reason, f"{place}{failed.message}")

    def specimen(self, order: MailOrder, copy: Copy) -> Mail:
        """The mail to somebody made up, of whom all its claims are true."""
        return self._mail(order, copy, SOMEBODY, specimen_book(copy.claims, order, self.surroundings))

    def _mail(self, order: MailOrder, copy: Copy, customer: CustomerCard, claims: ClaimBook) -> Mail:
        context = self.surroundings.context(copy.campaign, order, customer, claims)
        written = copy.edition(customer.locale).write(context)
        sender, message_id = self.surroundings.settings.sender, order.key.message_id
        return Mail(
            key=order.key,
            message_id=message_id,
            planned_at=order.planned_at,
            to_address=customer.email,
            to_name=customer.full_name,
            from_address=sender.email,
            from_name=sender.name,
            reply_to=sender.reply_to,
            subject=written.subject,
            html=written.html,
            text=written.text,
            headers=self._headers(order, copy.campaign, str(context["unsubscribe_url"])),
            evidence=claims.evidence(),
            owed=copy.campaign.transactional,
            their_link=self.surroundings.their_link(copy.campaign),
        )

    def _headers(self, order: MailOrder, campaign: Campaign, way_out: str) -> tuple[tuple[str, str], ...]:
        return (
            *self._way_out(order, campaign, way_out),
            ("X-Aftersale-Campaign", order.key.campaign_id),
            ("X-Aftersale-Step", order.key.step_id),
        )

    def _way_out(self, order: MailOrder, campaign: Campaign, way_out: str) -> Iterator[tuple[str, str]]:
        """By one click (RFC 8058) from what somebody subscribed to; what is owed is no list to leave."""
        if self.surroundings.their_link(campaign):
            return  # the provider adds both headers, with its link
        by_mail = f"<{self.surroundings.unsubscribe_mailto(order.key.message_id)}>"
        if campaign.transactional or not self.surroundings.settings.links:
            yield "List-Unsubscribe", by_mail
        else:
            yield "List-Unsubscribe", f"<{way_out}>, {by_mail}"
            yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"


def _unwritable(order: MailOrder, reason: WhyNot, message: str) -> Unwritable:
    return Unwritable(order.key, reason, message)


def is_address(address: str) -> bool:
    """Whether a mail can be addressed so at all. Importing has looked closer."""
    try:
        user, _, domain = ascii_domain(address).rpartition("@")
        return bool(user and domain.encode("idna")) and not any(map(str.isspace, address))
    except UnicodeError:
        return False
