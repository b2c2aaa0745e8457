"""A custom table with every type of column, in the notation that `demo` reads."""

from __future__ import annotations

TABLES = """
new_Sample new_samples user 10001 new_name money
  text new_Name:200 new_Code:20 new_Url:200
  memo new_Notes:4000
  int new_Count
  bigint new_Big
  decimal new_Ratio:4 new_Exact:10
  double new_Score
  money new_Amount
  bool new_Flag
  date new_Moment
  wall new_WallClock
  day new_Day
  night new_UserDay
  choice new_Color 727000000=Red|727000001=Green|727000002=Blue
  choice new_Size@new_sizes 1=Small|2=Medium|3=Large
  multi new_Colors 1=Amber|2=Bronze|3=Cyan|4=Denim|5=Ebony
  lookup new_AccountId account:new_account_new_sample
  customer new_CustomerId account:new_sample_customer_account contact:new_sample_customer_contact
  lookup new_ItemId account:new_sample_item_account contact:new_sample_item_contact product:new_sample_item_product
  lookup new_ParentId new_sample:new_sample_parent
  guid new_Token
  auto new_Number SAM-{SEQNUM:5}-{RANDSTRING:4}
  photo new_Picture
  file new_Document
  states 0=Active:1=Active|1=Inactive:2=Inactive
  key new_CodeKey new_Code
"""
