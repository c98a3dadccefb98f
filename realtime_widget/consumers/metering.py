"""Under what a page's session counts, and what it may use."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from realtime_widget import quotas
from realtime_widget.beginning import Prepared
from realtime_widget.consumers.opening import Admitted
from realtime_widget.quotas import QuotaMeter, Subject


def metered(
    admitted: Admitted, prepared: Prepared
) -> AbstractAsyncContextManager[QuotaMeter]:
    """Take from the quotas, and settle with them behind the session.

    Raises:
        QuotaUsedUp: With words for the visitor.
        DatabaseError: If the database does not answer.
    """
    widget = admitted.widget
    subject = Subject(
        user=admitted.user,
        address=admitted.visit.address,
        widget_id=widget.pk,
        site_id=getattr(admitted.site, "pk", None),
        provider_id=widget.provider_id,
        language=prepared.config.language,
        resumed=prepared.config.resumed,
    )
    return quotas.metered(subject, prepared.config.tariff)
