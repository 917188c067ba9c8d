{% test never_negative(model, column_name) %}
-- A count, an amount or a duration is never below nothing.
select {{ column_name }} from {{ model }} where {{ column_name }} < 0
{% endtest %}
