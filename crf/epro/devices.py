"""What kind of device an answer came from: the class, never the model, which would say more of a person than needed."""

from crf.models import Device


def device_of(user_agent: str) -> Device:
    """By the words that browsers put into User-Agent (MDN, "Browser detection using the user agent")."""
    if "iPad" in user_agent or "Tablet" in user_agent or ("Android" in user_agent and "Mobile" not in user_agent):
        return Device.TABLET
    return Device.PHONE if "Mobi" in user_agent else Device.COMPUTER
