print("genie")
