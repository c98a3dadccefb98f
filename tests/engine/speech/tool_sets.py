"""Tool sets of sites that have nothing in common with the demo."""

from __future__ import annotations

from tests.engine.speech.dialogues import TEXT, tool

_DAY = {**TEXT, "format": "date"}

LIBRARY = [
    tool("find_book", "Search the catalogue for a book.", ("title",), title=TEXT),
    tool(
        "renew_loan",
        "Renew a loan.",
        ("loan_number",),
        loan_number={**TEXT, "description": "Digits of the loan."},
    ),
    tool("reserve_room", "Reserve a study room.", ("day", "time"), day=_DAY, time=TEXT),
    tool("late_fees", "Tell the fees a member owes."),
]
CLINIC = [
    tool(
        "request_refill",
        "Request a refill of a prescription.",
        ("medication",),
        medication={**TEXT, "description": "Name of the medicine."},
    ),
    tool(
        "schedule_visit",
        "Schedule a visit with a doctor.",
        ("day", "time"),
        day=_DAY,
        time=TEXT,
    ),
    tool(
        "cancel_visit",
        "Cancel a visit.",
        ("visit_number",),
        visit_number={**TEXT, "description": "Digits of the visit."},
    ),
    tool("test_results", "Tell whether the patient's test results are in."),
    tool(
        "update_phone",
        "Change the phone number of the patient.",
        ("phone",),
        phone=TEXT,
    ),
]
