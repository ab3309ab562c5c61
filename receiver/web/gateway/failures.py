"""What an error becomes that ends a call: a Graph error, in an answer or in a batch's entry."""

from __future__ import annotations

import math

import structlog
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from receiver.crypto import CannotOpen
from receiver.graph.serve import BadBatch, BadParameter, MissingParameter
from receiver.lifecycle.spending import NoPoints
from receiver.store.database import DatabaseAway
from receiver.web.context import parts
from receiver.web.gateway import faults
from receiver.web.gateway.answer import Answer
from receiver.web.gateway.faults import Fault, Refused

log = structlog.get_logger(__name__)


def answer_to(error: Exception) -> Answer:
    """Return the answer to a call that ended in an error. One that nobody foresaw is logged."""
    return error.answer if isinstance(error, Refused) else faults.answer(_fault(error))


def _fault(error: Exception) -> Fault:  # noqa: PLR0911  # one return for each kind of error
    match error:
        case Fault():
            return error
        case MissingParameter():
            return Fault(faults.MISSING, error.message)
        case BadParameter():
            return faults.bad_parameter(error.message, blamed_field=error.name)
        case BadBatch():
            return Fault(None, str(error), type="GraphBatchException")
        case RequestEntityTooLarge():
            # The size was checked before: what is left is Werkzeug's limit on a form's parts.
            return Fault(faults.PARAMETER, "The form has more than 1000 parts.", http_status=413)
        case HTTPException():
            return Fault(faults.QUERY, error.description or "", http_status=error.code or 400)
        case NoPoints():
            seconds = math.ceil((error.resume_at - parts().now()).total_seconds())
            return faults.limit_reached((("Retry-After", str(max(1, seconds))),))
        case DatabaseAway():
            log.error("The database is away", reason=str(error))
            return faults.service_away("The receiver's database is away: try again.")
        case CannotOpen():
            log.error("A credential cannot be opened", reason=str(error))
            # Not transient: it stays so until a person stores the token again or adds the key.
            message = "The account's credential cannot be opened: ask whoever runs the receiver."
            return Fault(faults.SERVICE, message, http_status=500)
        case _:
            log.error("A call failed", exc_info=error)
            return Fault(faults.UNKNOWN, "An unknown error occurred.", http_status=500)
