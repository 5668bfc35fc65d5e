"""Small files in the shape of what other systems export. The people in them are made up."""

SHOPIFY = """\
Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,\
Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,\
Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags
'7001,Zoë,Müller,Zoe.Mueller@Example.com,yes,Müller & Söhne,Hauptstraße 5,Hinterhaus,Berlin,BE,DE,'01067,'+493012345,\
'+491701234567,no,12.50,1,,no,"vip, berlin"
'7002,,,lee@example.org,no,,,,,,,,,,yes,0.00,0,,no,
"""

MAGENTO = """\
email,_website,_store,dob,firstname,gender,group_id,lastname,middlename,password_hash,prefix,store_id,_address_city,\
_address_company,_address_country_id,_address_firstname,_address_lastname,_address_postcode,_address_region,\
_address_street,_address_telephone,_address_default_billing_,_address_default_shipping_
ana@example.com,base,default,1985-04-01,Ana,Female,1,López,María,{password_hash},Dr.,1,Madrid,,ES,Ana,López,28001,Madrid,\
"Calle Mayor 1
2º B",+34911234567,,1
,,,,,,,,,,,,Sevilla,,ES,Ana,López,41001,Sevilla,Calle Sierpes 3,+34951234567,1,
bo@example.com,base,default,,Bo,Not Specified,1,Ek,,,,1,,,,,,,,,,,
"""

WOOCOMMERCE = """\
ID,user_login,user_email,user_pass,first_name,last_name,billing_first_name,billing_last_name,billing_company,\
billing_address_1,billing_address_2,billing_city,billing_state,billing_postcode,billing_country,billing_phone,\
shipping_first_name,shipping_last_name,shipping_company,shipping_address_1,shipping_address_2,shipping_city,\
shipping_state,shipping_postcode,shipping_country
15,yuki,yuki@example.jp,{password_hash},由紀,山田,由紀,山田,,神南1-1,,東京,,150-0041,JP,+81312345678,由紀,山田,,神南1-1,,東京,,\
150-0041,JP
16,pat,pat@example.ie,,Pat,O\u2019Brien,Pat,O\u2019Brien,,1 Main St,,Cork,,T12,IE,,Pat,O\u2019Brien,Office,\
2 Quay,,Cork,,T12,IE
"""
