"""Answers that are failures, in Palette's shape: code, message, details, ref."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal; ``status`` is the HTTP status."""

    def __init__(self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self, ref: str) -> dict[str, object]:
        """The JSON body."""
        return {"code": self.code, "message": self.message, "details": {}, "ref": ref}


def not_found(kind: str, uid: str) -> ApiError:
    """The object is missing."""
    return ApiError(404, "ResourceNotFound", f"{kind} with uid '{uid}' is not found")


def invalid(message: str, *, code: str = "InvalidRequest") -> ApiError:
    """The request is understood and refused."""
    return ApiError(400, code, message)


def conflict(message: str, *, code: str = "AlreadyExists") -> ApiError:
    """Something of that name or UID is there."""
    return ApiError(409, code, message)
