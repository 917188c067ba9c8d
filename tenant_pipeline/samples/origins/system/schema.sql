-- The tables of the hall booking service.
CREATE TABLE province (
    code char(2) PRIMARY KEY,
    name_th text NOT NULL,
    name_en text NOT NULL
);

CREATE TABLE hall (
    id integer PRIMARY KEY,
    province char(2) NOT NULL REFERENCES province (code),
    name_th text NOT NULL,
    name_en text,
    name_zh text,
    capacity integer NOT NULL DEFAULT 0
);

CREATE TABLE booking (
    id integer PRIMARY KEY,
    hall integer NOT NULL,
    starts timestamp with time zone NOT NULL,
    ends timestamp with time zone,
    FOREIGN KEY (hall) REFERENCES hall (id)
);

COMMENT ON TABLE hall IS 'ห้องประชุมที่เปิดให้จอง';
COMMENT ON COLUMN hall.capacity IS 'Seats in theatre style';
