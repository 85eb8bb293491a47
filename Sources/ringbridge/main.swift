print("ringbridge")
