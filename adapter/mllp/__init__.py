"""Takes HL7 v2 messages over MLLP: writes each down, processes it, and only then acknowledges it.

    bytes → framing → header (AR) → journal → process (AA, AE) → acknowledgement

``receive`` is this line for one message, ``server`` the connections, ``process`` what is done with a message.
"""
